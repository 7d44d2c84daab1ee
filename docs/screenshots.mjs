// Takes the README's pictures of a running demo:
//   npm install --no-save playwright-core
//   node docs/screenshots.mjs http://localhost:8080 PROJECT_ID USER PASSWORD [CHROMIUM] [TASK] [ORDER]
// TASK and ORDER are the files to write: docs/several-labels.png is TASK of a demo with several labels.
// Opening a task reserves it for USER, as it does for any annotator.
import { chromium } from "playwright-core";

const [url, project, user, password, executablePath = "/usr/bin/chromium", ...files] =
  process.argv.slice(2);
const [task = "docs/task.png", order = "docs/next-to-label.png"] = files;
if (!password) {
  console.error("usage: node docs/screenshots.mjs URL PROJECT_ID USER PASSWORD [CHROMIUM]");
  process.exit(2);
}

const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
const page = await browser.newPage({ viewport: { width: 1280, height: 620 } });

await page.goto(`${url}/user/login`);
await page.fill("input[name=email]", user);
await page.fill("input[name=password]", password);
await page.click("button[type=submit]");
await page.waitForLoadState("domcontentloaded");

// The order: the tab that `xlt connect` makes.
await page.goto(`${url}/projects/${project}/data`);
await page.getByText("Next to label").first().click();
await page.getByText("Prediction score").first().waitFor();
await page.getByText(/Tasks: [1-9]/).waitFor();
await page.waitForTimeout(2000); // rows fade in
await page.screenshot({ path: order });

// The task on top, with the model's suggestion.
await page.getByText("Label All Tasks").first().click();
const chosen = ".xlt-question input:checked, .xlt-question .ant-select-selection-item";
await page.locator(chosen).first().waitFor({ state: "attached" });
await page.waitForTimeout(1000);
await page.screenshot({ path: task });

await browser.close();
