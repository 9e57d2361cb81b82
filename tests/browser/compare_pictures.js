// Run in an empty page: cuts the parts out of a picture of the components page, and answers those that differ from
// their reference pictures or have none.
async ({ picture, places, references, block, tolerance }) => {
  async function bitmap(data) {
    const response = await fetch(`data:image/png;base64,${data}`);
    return createImageBitmap(await response.blob());
  }

  function canvas(size, draw) {
    const context = new OffscreenCanvas(...size).getContext("2d", { willReadFrequently: true });
    draw(context);
    return context;
  }

  function pixels(context) {
    return context.getImageData(0, 0, context.canvas.width, context.canvas.height).data;
  }

  // What counts is the mean of a block: where an edge is makes a difference, how it is smoothed makes little, and the
  // less the lower its contrast. A plane has none: its color has to be the same, but for rounding.
  function blockDiffers(one, other, width, [left, top, right, bottom]) {
    return [0, 1, 2].some((channel) => {
      let [sum, darkest, lightest] = [0, 255, 0];
      for (let y = top; y < bottom; y += 1) {
        for (let x = left; x < right; x += 1) {
          const at = (y * width + x) * 4 + channel;
          sum += one[at] - other[at];
          if (other[at] < darkest) darkest = other[at];
          if (other[at] > lightest) lightest = other[at];
        }
      }
      return Math.abs(sum) / block ** 2 > 1 + tolerance * (lightest - darkest);
    });
  }

  function markDifferences(now, then) {
    const { width, height } = now.canvas;
    const [one, other] = [pixels(now), pixels(then)];
    let marked = 0;
    now.fillStyle = "rgba(255, 0, 128, 0.6)";
    for (let top = 0; top < height; top += block) {
      for (let left = 0; left < width; left += block) {
        const box = [left, top, Math.min(left + block, width), Math.min(top + block, height)];
        if (!blockDiffers(one, other, width, box)) continue;
        now.fillRect(left, top, block, block);
        marked += 1;
      }
    }
    return marked;
  }

  async function asPng(context) {
    const bytes = new Uint8Array(await (await context.canvas.convertToBlob()).arrayBuffer());
    let text = "";
    for (const byte of bytes) text += String.fromCharCode(byte);
    return btoa(text);
  }

  const page = await bitmap(picture);
  const found = {};
  for (const [name, [left, top, width, height]] of Object.entries(places)) {
    const now = canvas([width, height], (to) => to.drawImage(page, left, top, width, height, 0, 0, width, height));
    const reference = references[name] && await bitmap(references[name]);
    if (!reference) {
      found[name] = { now: await asPng(now) };
      continue;
    }
    const size = [Math.max(width, reference.width), Math.max(height, reference.height)];
    const then = canvas(size, (to) => to.drawImage(reference, 0, 0));
    const difference = canvas(size, (to) => to.drawImage(now.canvas, 0, 0));
    if (markDifferences(difference, then)) {
      found[name] = { now: await asPng(now), difference: await asPng(difference) };
    }
  }
  return found;
}
