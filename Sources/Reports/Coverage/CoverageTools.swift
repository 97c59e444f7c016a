import FlowRuns
import Text

extension CoverageReport {
    /// Writes the controls of the script, which stay hidden without the script.
    func tools(_ html: inout HTMLText, _ scale: CoverageScale) {
        html.element(
            "div", ["id": "tools", "class": "tools", "role": "search", "aria-label": "Flows and times", "hidden": ""]
        ) { html in
            html.element("label", ["class": "field"]) { html in
                html.add("Find a flow by name, id or file")
                html.element("input", ["id": "find", "type": "search", "autocomplete": "off"])
            }
            html.element("fieldset") { html in
                html.element("legend", text: "Only flows with")
                for (name, words) in filters {
                    html.element("label") { html in
                        html.element("input", ["type": "checkbox", "name": "state", "value": name])
                        html.add(words)
                    }
                }
            }
            html.element("fieldset") { html in
                html.element("legend", text: "Time (UTC)")
                for (id, words, time) in [("from", "From", scale.start), ("to", "To", scale.end)] {
                    html.element("label", ["class": "time"]) { html in
                        html.add("\(words) ")
                        html.element("input", ["id": id, "type": "datetime-local", "value": time.minutes])
                    }
                }
                html.element("div", ["class": "buttons"]) { html in
                    for (value, words) in [
                        ("in", "Zoom in"), ("out", "Zoom out"), ("earlier", "Earlier"), ("later", "Later"),
                        ("all", "All"),
                    ] {
                        html.element("button", ["type": "button", "name": "zoom", "value": value], text: words)
                    }
                }
            }
            html.element("p", ["id": "shown", "class": "shown", "role": "status"], text: "")
        }
    }

    /// The properties by which flows can be filtered: all states that occur, and repeated windows.
    private var filters: [(name: String, words: String)] {
        let states = CoverageState.allCases.reversed().filter { total($0) > 0 }.map { ($0.name, $0.inWords) }
        let isRepeated = flows.contains { !$0.repeated.isEmpty }
        let repeated = AttentionPoint.Kind.repeated
        return states + (isRepeated ? [(repeated.name, repeated.inWords)] : [])
    }

    /// The data with which the script draws a part of the time.
    ///
    /// All times are in seconds. A mark is `[state, start, length, windows]`, with its start relative to that of the
    /// axis.
    func data(_ scale: CoverageScale) -> JSONText {
        var json = JSONText()
        json.object { json in
            json.member("start", scale.start.seconds)
            json.member("end", scale.end.seconds)
            json.member("now", asOf.seconds)
            json.array("states") { json in
                for state in CoverageState.allCases {
                    json.element { json in
                        json.member("name", state.name)
                        json.member("text", state.inWords)
                        json.member("top", state.top)
                        json.member("least", state.minWidth)
                    }
                }
            }
            let maxMarksPerFlow = max(200, Self.maxMarks / max(1, flows.count))
            json.array("lanes") { json in
                for flow in flows { json.element(json: marks(of: flow, scale, maxMarksPerFlow: maxMarksPerFlow).text) }
            }
        }
        return json
    }

    /// The maximum number of marks in all lanes, which limits the size of the page.
    private static let maxMarks = 60_000

    /// Returns the exact marks of a flow, or the marks of a wide lane if there are too many.
    private func marks(of flow: FlowCoverage, _ scale: CoverageScale, maxMarksPerFlow: Int) -> JSONText {
        let exact = flow.joinedStretches
        let marks =
            exact.count <= maxMarksPerFlow
            ? exact : CoverageLane(flow, scale, width: maxMarksPerFlow).marks.map(\.stretch)
        var json = JSONText()
        json.array { json in
            for mark in marks {
                let (start, length) = (mark.start.seconds - scale.start.seconds, (mark.end - mark.start).wholeSeconds)
                json.element(json: "[\(mark.state.rawValue),\(start),\(length),\(mark.count)]")
            }
        }
        return json
    }
}

extension Timestamp {
    /// The time in the format of a form field, such as `2024-05-01T00:00`.
    fileprivate var minutes: String { String(description.prefix("2024-05-01T00:00".count)) }
}
