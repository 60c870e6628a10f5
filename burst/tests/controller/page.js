// Opens the page of bursts in Chromium, at both widths, light and dark, and says what is wrong with it.
//
//   page.js URL FOLDER    writes screenshots into FOLDER; says `loaded`, and `updated` once what it shows
//                         has changed by itself.
"use strict";

const { chromium } = require("playwright-core");
const [, , url, folder] = process.argv;
const args = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

function demand(holds, what) {
  if (!holds) throw new Error(what);
}

async function look(browser, width, scheme) {
  const name = `${width}-${scheme}`;
  const page = await browser.newPage({ viewport: { width, height: width > 700 ? 900 : 844 }, colorScheme: scheme });
  const wrong = [];
  page.on("console", (message) => message.type() === "error" && wrong.push(message.text()));
  page.on("pageerror", (error) => wrong.push(String(error)));
  await page.goto(url);
  await page.waitForSelector("body[data-ready=yes]");
  const seen = await page.evaluate(() => {
    const ink = (canvas) => {
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      const colours = new Set();
      for (let at = 0; at < data.length; at += 64) if (data[at + 3] > 200) colours.add(data[at] >> 4 | (data[at + 1] >> 4) << 4 | (data[at + 2] >> 4) << 8);
      return colours.size;
    };
    const inside = [...document.querySelectorAll("main *")].every((one) => one.getBoundingClientRect().right <= innerWidth + 1);
    return {
      inks: [...document.querySelectorAll(".plot canvas")].map(ink),
      overflows: document.documentElement.scrollWidth > innerWidth || !inside,
      decisions: document.querySelectorAll(".decisions li").length,
      tiles: [...document.querySelectorAll(".tiles dd")].map((one) => one.textContent),
      leader: document.getElementById("leader").textContent,
      ground: getComputedStyle(document.body).backgroundColor,
    };
  });
  demand(!wrong.length, `${name}: ${wrong.join("; ")}`);
  demand(!seen.overflows, `${name}: something is wider than the page`);
  demand(seen.inks.length === 3 && seen.inks.every((colours) => colours >= 2), `${name}: charts are empty: ${seen.inks}`);
  demand(seen.decisions > 3, `${name}: ${seen.decisions} decisions`);
  demand(seen.tiles.length === 6 && /^\d+ of \d+ to \d+$/.test(seen.tiles[0]), `${name}: ${seen.tiles}`);
  demand(seen.leader.includes("leads, epoch"), `${name}: ${seen.leader}`);
  await page.screenshot({ path: `${folder}/${name}.png`, fullPage: true });
  const first = page.locator(".decisions summary").first();
  await first.focus();
  await page.keyboard.press("Enter");
  await page.waitForSelector(".decisions details[open] .why table");
  await page.screenshot({ path: `${folder}/${name}-open.png`, fullPage: true });
  await page.close();
  return seen.ground;
}

async function main() {
  const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args });
  try {
    for (const width of [1280, 390]) {
      const light = await look(browser, width, "light");
      const dark = await look(browser, width, "dark");
      demand(light !== dark, `${width}: light and dark look the same`);
    }
    const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    await page.goto(url);
    await page.waitForSelector("body[data-ready=yes]");
    const wanted = () => page.locator(".tiles dd").first().textContent();
    const before = await wanted();
    console.log("loaded");
    await page.waitForFunction((before) => document.querySelector(".tiles dd").textContent !== before, before, { timeout: 60000 });
    console.log(`updated ${before} ${await wanted()}`);
  } finally {
    await browser.close();
  }
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
