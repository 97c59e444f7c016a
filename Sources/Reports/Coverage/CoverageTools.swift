import FlowRuns

extension CoverageReport {
    /// Writes the controls of the script, which stay hidden without the script.
    func tools(_ html: inout HTMLText, _ scale: CoverageScale) {
        html.element(
            "div", ["id": "tools", "class": "tools", "role": "search", "aria-label": "Flows and times", "hidden": ""]
        ) { html in
            html.element("label", ["class": "field find"]) { html in
                html.element("span", text: "Find a flow")
                html.element(
                    "input",
                    [
                        "id": "find", "type": "search", "autocomplete": "off",
                        "placeholder": "name, id, file or owner",
                    ])
            }
            html.element("div", ["class": "presets", "role": "group", "aria-label": "Time"]) { html in
                for (value, words) in [
                    ("24h", "24 h"), ("7d", "7 d"), ("30d", "30 d"), ("90d", "90 d"), ("all", "All"),
                ] {
                    html.element("button", ["type": "button", "name": "zoom", "value": value], text: words)
                }
            }
            html.element("div", ["class": "presets", "role": "group", "aria-label": "Move and zoom"]) { html in
                for (value, sign, words) in [
                    ("earlier", "←", "Earlier"), ("later", "→", "Later"), ("out", "−", "Zoom out"),
                    ("in", "+", "Zoom in"),
                ] {
                    html.element(
                        "button",
                        ["type": "button", "name": "zoom", "value": value, "aria-label": words, "title": words],
                        text: sign)
                }
            }
            html.element("label", ["class": "field"]) { html in
                html.element("span", text: "Times in")
                html.element("select", ["id": "zone"]) { html in
                    html.element("option", ["value": "UTC"], text: "UTC")
                    let zones = Set(flows.compactMap(\.timeZone)).sorted()
                    if !zones.isEmpty { html.element("option", ["value": "flow"], text: "the flow's zone") }
                    for zone in zones { html.element("option", ["value": zone], text: zone) }
                }
            }
            for (id, words, time) in [("from", "From", scale.start), ("to", "To", scale.end)] {
                html.element("label", ["class": "field"]) { html in
                    html.element("span", text: words)
                    html.element("input", ["id": id, "type": "datetime-local", "value": time.minutes])
                }
            }
            html.element("p", ["id": "shown", "class": "shown", "role": "status"], text: "")
        }
    }

    /// Writes the states with their counts over all flows. The script makes a filter of each.
    func legend(_ html: inout HTMLText) {
        html.element("ul", ["class": "legend", "aria-label": "States, with counts"]) { html in
            for state in shownStates {
                html.element("li", ["data-state": state.name]) { html in
                    html.element("svg", ["viewBox": "0 0 22 14", "width": "22", "height": "14", "aria-hidden": "true"])
                    {
                        $0.element("rect", ["class": state.name, "width": "22", "height": "14"])
                    }
                    html.add(" \(state.inWords) ")
                    html.element("b", ["class": "count"], text: grouped(total(state)))
                }
            }
            let repeated = AttentionPoint.Kind.repeated
            for (name, words, count) in [
                (repeated.name, repeated.inWords, flows.count { !$0.repeated.isEmpty }),
                ("late", "flows that are late", status?.flows.count(where: \.isLate) ?? 0),
            ] where count > 0 {
                html.element("li", ["data-state": name, "hidden": ""]) { html in
                    html.add("\(words) ")
                    html.element("b", ["class": "count"], text: grouped(count))
                }
            }
        }
        // All lanes refer to these patterns, which distinguish states without colours.
        html.element("svg", ["width": "0", "height": "0", "aria-hidden": "true", "class": "patterns"]) { html in
            for (name, path) in [("hatch", "M-1 5 L5 -1 M-1 11 L11 -1 M5 11 L11 5"), ("dots", "M2 4 h3 M7 9 h3")] {
                html.element(
                    "pattern",
                    ["id": name, "width": "10", "height": "10", "patternUnits": "userSpaceOnUse", "class": name]
                ) {
                    $0.element("rect", ["width": "10", "height": "10"])
                    $0.element("path", ["d": path])
                }
            }
        }
    }
}

extension Timestamp {
    /// The time in the format of a form field, such as `2024-05-01T00:00`.
    fileprivate var minutes: String { String(description.prefix("2024-05-01T00:00".count)) }
}
