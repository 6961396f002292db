// What the page shows, as one picture: the canvases side by side under a line of numbers.

import { FONT, theme } from "./canvas.js";

const MARGIN = 32;
const WIDTH = 1600;

/** Save the canvases of the panels on the page as a PNG; title and line stand above. */
export async function savePicture(title, line, groups) {
  const colour = theme();
  const rows = groups.map((group) => group.filter(([canvas]) => canvas && canvas.width > 1 && canvas.offsetParent !== null)).filter((g) => g.length);
  const heights = rows.map((row) => {
    const wide = row.reduce((sum, [canvas]) => sum + canvas.width / canvas.height, 0);
    return Math.min(620, (WIDTH - MARGIN * (row.length + 1)) / wide);
  });
  const picture = Object.assign(document.createElement("canvas"), {
    width: WIDTH, height: Math.round(130 + heights.reduce((sum, h) => sum + h + 60, 0)),
  });
  const c = picture.getContext("2d");
  c.fillStyle = colour.panel;
  c.fillRect(0, 0, picture.width, picture.height);
  const write = (words, x, y, font, fill) => {
    c.font = font;
    c.fillStyle = fill;
    c.fillText(words, x, y, WIDTH - 2 * MARGIN);
  };
  write(title, MARGIN, 50, `600 26px ${FONT}`, colour.text);
  write(line, MARGIN, 84, `17px ${FONT}`, colour.muted);
  let y = 130;
  rows.forEach((row, i) => {
    let x = MARGIN;
    for (const [canvas, name] of row) {
      const width = (canvas.width / canvas.height) * heights[i];
      write(name, x, y, `600 17px ${FONT}`, colour.text);
      c.drawImage(canvas, x, y + 12, width, heights[i]);
      x += width + MARGIN;
    }
    y += heights[i] + 60;
  });
  const blob = await new Promise((done) => picture.toBlob(done, "image/png"));
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = `doamc-${new Date().toISOString().replace(/[-:]|\.\d+/g, "")}.png`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}
