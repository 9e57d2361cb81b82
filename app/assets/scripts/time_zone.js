// Select this browser's time zone for a user who has none.
const zoneField = document.querySelector("select[name=time_zone]");

function currentNameOf(zone) {
  return Intl.DateTimeFormat("en", {timeZone: zone}).resolvedOptions().timeZone;
}

function selectZone(field) {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const names = Array.from(field.options, function (option) { return option.value; }).filter(Boolean);
  // Browsers keep former names, such as Asia/Calcutta, to which they translate the present ones.
  const found = names.find(function (name) { return name === zone; })
    || names.find(function (name) { return currentNameOf(name) === zone; });
  if (!found) return;
  field.value = found;
  document.getElementById(`${field.id}-hint`).append(" Detected from your browser; change it if it is wrong.");
}

if (!zoneField.value) selectZone(zoneField);
