"""The dashboard in `examples/` and the README name the figures that a server has, and no others."""

import json
import re
import unittest

from _support import EXAMPLES, ROOT, Case

METRIC = re.compile(r"\bquicchat_[a-z_]+")


def exported(server):
    """All names that Prometheus gets, each with its labels."""
    from quicchat.metrics import _Collector

    found = {}
    for family in _Collector(server).collect():
        endings = {"counter": ("_total",), "summary": ("_sum", "_count"), "gauge": ("",)}
        for ending in endings[family.type]:
            found[family.name + ending] = set(family._labelnames)
    return found


class Dashboard(Case):
    def setUp(self):
        super().setUp()
        self.dashboard = json.loads((EXAMPLES / "grafana_dashboard.json").read_text())
        self.panels = [panel for panel in self.dashboard["panels"] if panel["type"] != "row"]
        self.queries = [(panel["title"], target) for panel in self.panels
                        for target in panel["targets"]]

        async def scenario(connect, server):
            self.exported = exported(server)

        self.talk(scenario, database=None)

    def test_each_metric_is_one_that_the_collector_exports(self):
        self.assertGreater(len(self.queries), 30)
        for title, target in self.queries:
            names = METRIC.findall(target["expr"])
            self.assertTrue(names, title)
            for name in names:
                with self.subTest(f"{title}: {name}"):
                    self.assertIn(name, self.exported)

    def test_no_other_name_is_anywhere_in_it(self):
        """Not in its variables, links and descriptions either."""
        names = set(METRIC.findall(json.dumps(self.dashboard)))
        self.assertEqual(names - set(self.exported), set())

    def test_each_label_is_one_that_the_metric_has(self):
        for title, target in self.queries:
            names = METRIC.findall(target["expr"])
            labels = re.findall(r"by \((\w+)\)", target["expr"])
            shown = re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])
            with self.subTest(title):
                self.assertEqual(set(labels), set(shown))
                self.assertLessEqual(set(labels), self.exported[names[0]])

    def test_nothing_that_is_exported_is_left_out(self):
        shown = {name for _, target in self.queries for name in METRIC.findall(target["expr"])}
        self.assertEqual(set(self.exported) - shown, set())

    def test_a_counter_is_shown_as_a_rate_and_nothing_else_is(self):
        for title, target in self.queries:
            for name in METRIC.findall(target["expr"]):
                counts = name.endswith(("_total", "_sum", "_count"))
                with self.subTest(f"{title}: {name}"):
                    self.assertEqual(f"rate({name}{{" in target["expr"], counts)

    def test_variables_panels_and_places_fit(self):
        variables = {one["name"] for one in self.dashboard["templating"]["list"]}
        text = json.dumps(self.dashboard)
        used = set(re.findall(r"\$\{?(\w+)", text)) - {"__rate_interval", "__all"}
        self.assertEqual(used, variables)
        everything = self.dashboard["panels"]
        self.assertEqual(len({panel["id"] for panel in everything}), len(everything))
        cells = set()
        for panel in everything:
            place = panel["gridPos"]
            self.assertLessEqual(place["x"] + place["w"], 24)
            mine = {(x, y) for x in range(place["x"], place["x"] + place["w"])
                    for y in range(place["y"], place["y"] + place["h"])}
            self.assertFalse(mine & cells, panel["title"])
            cells |= mine

    def test_the_readme_names_what_there_is(self):
        names = set(METRIC.findall((ROOT / "README.md").read_text()))
        self.assertGreater(len(names), 5)
        families = {name.removesuffix("_count") for name in self.exported}
        self.assertEqual(names - families - set(self.exported), set())


if __name__ == "__main__":
    unittest.main()
