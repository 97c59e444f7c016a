import FlowRuns

extension CoverageReport {
    private static let attentionLimit = 100

    /// Writes the points that need attention, above the picture.
    func attention(_ html: inout HTMLText) {
        let points = AttentionPoint.all(in: flows)
        guard !points.isEmpty else { return }
        // Only a short list is open at first: a long one would push the picture off the screen.
        let isShort = points.count <= 8
        let hasRuns = points.contains { !$0.runs.isEmpty }
        let titles = ["Flow", "What", "From", "To", "Length"] + (hasRuns ? ["Run"] : []) + ["Why"]
        html.element("details", isShort ? ["class": "attention", "open": "open"] : ["class": "attention"]) { html in
            html.element("summary") { html in html.element("strong", text: AttentionPoint.summary(of: points)) }
            html.element("table", ["id": "points", "data-total": "\(points.count)"]) { html in
                head(&html, titles.map { ($0, nil) })
                html.element("tbody") { html in
                    for point in points.prefix(Self.attentionLimit) { row(&html, point, hasRuns: hasRuns) }
                }
            }
            let rest = points.count - Self.attentionLimit
            if rest > 0 { html.element("p", text: "… and \(grouped(rest)) more; the table below counts them by flow.") }
        }
    }

    private func row(_ html: inout HTMLText, _ point: AttentionPoint, hasRuns: Bool) {
        html.element(
            "tr",
            [
                "data-flow": "\(point.flow.id)", "data-state": point.kind.name, "data-start": "\(point.start.seconds)",
                "data-end": "\(point.end.seconds)",
            ]
        ) { html in
            html.element("td") { $0.element("a", ["href": "#row-\(point.flow.id)"], text: point.flow.title) }
            html.element("td") { $0.element("span", ["class": "tag"], text: point.kind.inWords) }
            for (title, time) in [("From", point.start), ("To", point.end)] {
                html.element("td", ["class": "time", "data-label": title]) { html in
                    html.element("time", ["datetime": "\(time)"], text: "\(time)")
                }
            }
            let length = point.end - point.start
            html.element(
                "td", ["class": "time", "data-label": "Length", "data-value": "\(length.wholeSeconds)"],
                text: spanText(length))
            if hasRuns {
                html.element("td", ["data-label": "Run"]) { html in for run in point.runs { add(run, &html) } }
            }
            html.element("td", ["data-label": "Why"], text: point.why)
        }
    }

    /// Writes a run ID for copying, as a link if the target defines one.
    private func add(_ run: RunID, _ html: inout HTMLText) {
        html.element("small") { html in
            guard let runLink else { return html.element("code", ["class": "run"], text: "\(run)") }
            html.element(
                "a", ["class": "run", "href": runLink.address(of: run), "rel": "noreferrer"], text: "\(run)")
        }
    }

    /// Writes a table with one row per flow.
    func table(_ html: inout HTMLText) {
        html.element("h2", ["id": "table"], text: "By flow")
        let states = shownStates
        let hasGaps = total(.gap) > 0
        var columns: [(title: String, state: String?)] = [("Flow", nil)]
        for state in states { columns.append((state.title, state.name)) }
        if hasGaps { columns.append(("Time in gaps", "gaps")) }
        columns += [("First", nil), ("Last", nil)]
        html.element("table", ["id": "flows", "aria-labelledby": "table"]) { html in
            head(&html, columns)
            html.element("tbody") { html in
                for flow in flows { row(&html, flow, states, hasGaps: hasGaps) }
            }
        }
    }

    private func row(_ html: inout HTMLText, _ flow: FlowCoverage, _ states: [CoverageState], hasGaps: Bool) {
        html.element("tr", ["id": "row-\(flow.id)", "data-flow": "\(flow.id)"]) { html in
            html.element("th", ["scope": "row"]) { html in
                html.add(flow.title)
                html.element("small", text: flow.isVerified ? "\(flow.id)" : "\(flow.id) · not verified")
                html.element("small", text: "\(flow.place.file):\(flow.place.line)")
            }
            for state in states {
                let count = flow.counts[state]
                html.element(
                    "td",
                    [
                        "class": count > 0 && state >= .gap ? "number alarm" : "number", "data-label": state.title,
                        "data-value": "\(count)",
                    ],
                    text: count == 0 ? "" : grouped(count))
            }
            if hasGaps {
                html.element(
                    "td",
                    ["class": "number", "data-label": "Time in gaps", "data-value": "\(flow.gapLength.wholeSeconds)"],
                    text: flow.gapLength > .zero ? spanText(flow.gapLength) : "")
            }
            html.element("td", ["class": "time", "data-label": "First"]) { html in
                if let first = flow.stretches.first { add(dateOf: first.start, &html) }
            }
            html.element("td", ["data-label": "Last"]) { html in
                guard let last = flow.last else { return }
                add(dateOf: last.end, &html)
                if let run = last.run { add(run, &html) }
            }
        }
    }

    private func add(dateOf time: Timestamp, _ html: inout HTMLText) {
        html.element("time", ["datetime": "\(time)", "class": "date"], text: UTCTime(time).date)
    }

    private func head(_ html: inout HTMLText, _ columns: [(title: String, state: String?)]) {
        html.element("thead") { html in
            html.element("tr") { html in
                for (title, state) in columns {
                    html.element(
                        "th",
                        state.map { ["scope": "col", "class": "number", "data-state": $0] } ?? ["scope": "col"],
                        text: title)
                }
            }
        }
    }
}

extension CoverageState {
    /// The title of the state's column.
    fileprivate var title: String {
        switch self {
        case .succeeded: "Succeeded"
        case .running: "Running"
        case .partial: "Partial"
        case .planned: "To request"
        case .paused: "Paused or waiting"
        case .gap: "Gaps"
        case .held: "Held"
        case .tooFewRecords: "Too few records"
        case .failed: "Failed"
        }
    }
}
