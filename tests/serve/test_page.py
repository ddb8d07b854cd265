"""Chromium fills in the form of /docs as a person would."""

import unittest

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select, WebDriverWait

from support import Server, Workspace, request_of, things


class Page(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.workspace = cls.enterClassContext(Workspace())
        options = Options()
        options.binary_location = "/usr/bin/chromium"
        for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        cls.browser = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
        cls.addClassCleanup(cls.browser.quit)

    def find(self, id):
        return WebDriverWait(self.browser, 20).until(lambda b: b.find_element(By.ID, id))

    def fill(self, name, value):
        box = self.find(f"field-0-{name}")
        nulls = self.browser.find_elements(By.ID, f"field-0-{name}-null")
        if nulls and nulls[0].is_selected() != (value is None):
            nulls[0].click()
        if value is None:
            return
        if box.tag_name == "select":
            Select(box).select_by_visible_text(str(value).lower() if isinstance(value, bool) else str(value))
        else:
            box.clear()
            box.send_keys(str(value))

    def predict(self):
        self.browser.find_element(By.CSS_SELECTOR, "#form-0 button").click()
        return WebDriverWait(self.browser, 20).until(
            lambda b: (text := b.find_element(By.ID, "answer-0").text) not in ("", "…") and text
        )

    def test_a_person_sees_the_prediction_and_what_is_wrong(self):
        with Server("everything.dbjob", "-q", cwd=self.workspace.path) as server:
            self.browser.get(server.url + "/docs")
            row = request_of(next(iter(things())))
            expected = self.workspace.predictions([row])[0]
            for name, value in row.items():
                self.fill(name, value)
            answer = self.predict()
            self.assertIn(str(expected["prediction"]).lower(), answer)
            self.assertIn(str(expected["prediction_probability"]), answer)
            self.fill("count", "0")
            self.fill("day", "yesterday")
            self.assertIn("422", self.predict())
            self.assertIn("is 0, which is not in 1..=500", self.find("field-0-count-error").text)
            self.assertIn("needed by month", self.find("field-0-day-error").text)
            self.fill("count", row["count"])
            self.fill("day", row["day"])
            self.assertIn(str(expected["prediction_probability"]), self.predict())
            self.assertEqual(self.find("field-0-count-error").text, "")
            # Nothing was blocked, and nothing came from elsewhere.
            told = [line["message"] for line in self.browser.get_log("browser") if "favicon" not in line["message"]]
            self.assertEqual([line for line in told if "422" not in line], [])

    def test_a_token_is_asked_for(self):
        with Server("everything.dbjob", "-q", "--token-env", "SHOWN", cwd=self.workspace.path, env={"SHOWN": "s3cret"}) as s:
            self.browser.get(s.url + "/docs")
            WebDriverWait(self.browser, 20).until(lambda b: self.find("login").is_displayed())
            self.find("token").send_keys("s3cret")
            self.browser.find_element(By.CSS_SELECTOR, "#login button").click()
            self.assertTrue(self.find("form-0"))


if __name__ == "__main__":
    unittest.main()
