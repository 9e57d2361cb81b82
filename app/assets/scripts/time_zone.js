// Offer this browser's time zone to a user who has not chosen one.
const zoneField = document.querySelector("select[name=time_zone]");
const browserZone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const isKnownZone = Array.from(zoneField.options).some(function (option) { return option.value === browserZone; });

if (!zoneField.value && isKnownZone) {
  const offer = document.createElement("p");
  offer.className = "actions";
  const accept = document.createElement("button");
  accept.type = "button";
  accept.className = "button";
  accept.textContent = `Use this browser’s: ${browserZone.replaceAll("_", " ")}`;
  accept.addEventListener("click", function () {
    zoneField.value = browserZone;
    zoneField.dispatchEvent(new Event("input", {bubbles: true}));
    zoneField.focus();
    offer.remove();
  });
  offer.append(accept);
  zoneField.after(offer);
}
