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

extension CoverageReport {
    /// The maximum number of marks with tooltips in a lane: more would make the page too large.
    private var titledMarks: Int { min(120, 2400 / max(1, flowCount)) }
    private static let laneHeight = 18
    private static let coarseWidth = 100

    /// Writes an axis, and a lane for each flow below it.
    func picture(_ html: inout HTMLText, _ scale: CoverageScale) {
        let ticks = scale.ticks
        html.element("section", ["class": "picture", "aria-label": "Coverage of time, a lane for each flow"]) { html in
            html.element("div", ["class": "axis", "aria-hidden": "true"]) { html in
                html.element("svg") { html in
                    for (index, tick) in ticks.enumerated() { add(tick, isOdd: index % 2 == 1, &html) }
                }
            }
            let grid = ticks.map { "M\(Int($0.position * Double(CoverageLane.width))) 0v\(Self.laneHeight)" }.joined()
            let isNowShown = asOf <= scale.end
            let now =
                isNowShown ? "M\(Int(scale.position(asOf) * Double(CoverageLane.width))) 0v\(Self.laneHeight)" : ""
            for group in groups {
                html.element("div", ["class": "group"]) { html in
                    if groups.count > 1 { html.element("h2", text: group.title) }
                    for flow in group.flows { row(&html, flow, scale, grid: grid, now: now) }
                }
            }
        }
    }

    /// Notes that windows far from all others are not in the picture.
    func outside(_ html: inout HTMLText, _ scale: CoverageScale) {
        guard scale.outside > 0 else { return }
        html.element("p", ["id": "outside", "class": "note"]) { html in
            let count = counted(scale.outside, "window is", "windows are")
            html.add("\(count) far from all others and not in this picture: the time goes from ")
            html.element(
                "time", ["datetime": "\(scale.whole.start)", "class": "date"], text: UTCTime(scale.whole.start).date)
            html.add(" to ")
            html.element(
                "time", ["datetime": "\(scale.whole.end)", "class": "date"], text: UTCTime(scale.whole.end).date)
            html.add(".")
        }
    }

    private func add(_ tick: CoverageScale.Tick, isOdd: Bool, _ html: inout HTMLText) {
        let position = "\(Double(Int(tick.position * 100_000)) / 1000)%"
        let shape = isOdd ? "odd" : "even"
        html.element("line", ["class": shape, "x1": position, "x2": position, "y1": "0", "y2": "100%"])
        // A label at the right edge would be truncated.
        guard tick.position < 0.92 else { return }
        html.element("text", ["class": shape, "x": position, "dx": "4", "y": "19"], text: tick.label)
    }

    private func row(_ html: inout HTMLText, _ flow: FlowCoverage, _ scale: CoverageScale, grid: String, now: String) {
        let status = statusOf[flow.id]
        let properties = [
            flow.repeated.isEmpty ? nil : AttentionPoint.Kind.repeated.name, status?.isLate ?? false ? "late" : nil,
        ]
        html.element(
            "div",
            [
                "class": "lane", "data-flow": "\(flow.id)",
                "data-find": "\(flow.title) \(flow.id) \(flow.place.file) \(flow.manifest) \(flow.owner ?? "")",
                "data-properties": properties.compactMap(\.self).joined(separator: " "),
            ]
        ) { html in
            html.element("a", ["class": "name", "href": "#row-\(flow.id)", "title": flow.title], text: flow.title)
            if let status {
                html.element("span", ["class": "share"], text: status.share?.preciseText ?? "")
                html.element(
                    "span", ["class": status.isLate ? "fresh alarm" : "fresh"], text: status.freshnessText)
            }
            lane(&html, flow, scale, grid: grid, now: now)
        }
    }

    private func lane(_ html: inout HTMLText, _ flow: FlowCoverage, _ scale: CoverageScale, grid: String, now: String) {
        var lane = CoverageLane(flow, scale)
        // Dense lanes of many flows would make the page too large.
        let isCoarse = lane.marks.count > Self.coarseWidth && flowCount > 24
        if isCoarse { lane = CoverageLane(flow, scale, width: Self.coarseWidth) }
        let columnWidth = isCoarse ? CoverageLane.width / Self.coarseWidth : 1
        html.element(
            "svg",
            [
                "viewBox": "0 0 \(CoverageLane.width) \(Self.laneHeight)", "preserveAspectRatio": "none", "role": "img",
                "aria-label": "\(flow.title): \(flow.inWords)",
            ]
        ) { html in
            html.element("path", ["class": "grid", "d": grid])
            if lane.marks.count <= titledMarks {
                for mark in lane.marks { titled(&html, mark, columnWidth) }
            } else {
                for state in CoverageState.allCases {
                    joined(&html, lane.marks.filter { $0.state == state }, state, columnWidth)
                }
            }
            html.element("path", ["class": "now", "d": now])
        }
    }

    private func titled(_ html: inout HTMLText, _ mark: CoverageLane.Mark, _ columnWidth: Int) {
        let box: KeyValuePairs = [
            "class": mark.state.name, "x": "\(mark.columns.lowerBound * columnWidth)", "y": "\(mark.state.top)",
            "width": "\(mark.columns.count * columnWidth)", "height": "\(Self.laneHeight - 2 * mark.state.top)",
        ]
        html.element("rect", box) { html in
            let count = mark.count > 1 ? "\(grouped(mark.count)) × " : ""
            html.element("title", text: "\(count)\(mark.state.inWords): \(mark.start) … \(mark.end)")
        }
    }

    private func joined(
        _ html: inout HTMLText, _ marks: [CoverageLane.Mark], _ state: CoverageState, _ columnWidth: Int
    ) {
        guard !marks.isEmpty else { return }
        let height = Self.laneHeight - 2 * state.top
        let boxes = marks.map { mark in
            let width = mark.columns.count * columnWidth
            return "M\(mark.columns.lowerBound * columnWidth) \(state.top)h\(width)v\(height)h-\(width)z"
        }
        html.element("path", ["class": state.name, "d": boxes.joined()])
    }
}

extension FlowStatus {
    /// Whether the latest due data is there, in one or two words.
    var freshnessText: String {
        if isPaused { return "paused" }
        if isLate { return "\(roughText(behind)) late" }
        return dueTime == .zero ? "nothing due" : "on time"
    }
}

extension CoverageState {
    /// The offset of a mark from the lane's upper edge. Marks of failures and doubts are taller than the others.
    var top: Int { self >= .held ? 0 : 2 }

    /// The minimum width of a mark in columns, which keeps short problems visible.
    var minWidth: Int { self >= .partial ? 3 : 1 }
}

extension CoverageReport {
    /// The maximum number of flows named for each cause.
    private static let flowLimit = 20

    /// Writes the troubles by cause, with the flows and what ends each trouble.
    func troubles(_ html: inout HTMLText) {
        guard let groups = status?.groups, !groups.isEmpty else { return }
        html.element("section", ["class": "troubles", "aria-labelledby": "troubles"]) { html in
            html.element("h2", ["id": "troubles"], text: "Troubles by cause")
            html.element("ul") { html in
                for group in groups { html.element("li") { html in item(group, &html) } }
            }
        }
    }

    private func item(_ group: TroubleGroup, _ html: inout HTMLText) {
        html.element("strong", text: group.title)
        html.element("ul") { html in
            for (flow, trouble) in group.members.prefix(Self.flowLimit) {
                let extent = trouble.extent("…")
                html.element("li", text: extent.isEmpty ? flow.title : "\(flow.title): \(extent)")
            }
            let rest = group.members.count - Self.flowLimit
            if rest > 0 { html.element("li", text: "and \(counted(rest, "more flow"))") }
        }
        for (remedy, _) in group.remedies.prefix(3) {
            html.element("p") { html in
                html.add("→ \(remedy.text)")
                guard let command = remedy.command, let status else { return }
                html.add(": ")
                html.element("code", text: status.arguments.command(command))
            }
            guard !remedy.lines.isEmpty else { continue }
            html.element("pre") { html in
                for line in remedy.lines {
                    html.add(line)
                    html.verbatim("\n")
                }
            }
        }
    }
}

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

/// A window or gap that needs a person's attention.
struct AttentionPoint {
    /// The kinds of points, in ascending severity.
    enum Kind: Int {
        case gap, held, repeated, tooFewRecords, failed

        /// The name in the page's data attributes.
        var name: String { "\(self)" }

        var inWords: String {
            switch self {
            case .gap: CoverageState.gap.inWords
            case .held: CoverageState.held.inWords
            case .repeated: "run more than once"
            case .tooFewRecords: CoverageState.tooFewRecords.inWords
            case .failed: CoverageState.failed.inWords
            }
        }
    }

    let flow: FlowCoverage
    let kind: Kind
    let start: Timestamp
    let end: Timestamp
    let why: String
    /// The runs of the window.
    let runs: [RunID]

    /// Returns the points of all flows, most severe first, then newest first.
    static func all(in flows: [FlowCoverage]) -> [AttentionPoint] {
        flows.flatMap { flow in
            flow.stretches.compactMap { AttentionPoint($0, of: flow) }
                + flow.repeated.map { AttentionPoint($0, of: flow) }
        }.sorted { ($0.kind.rawValue, $0.start) > ($1.kind.rawValue, $1.start) }
    }

    /// Counts the points in words, such as `1 window and 2 gaps need attention`.
    static func summary(of points: [AttentionPoint]) -> String {
        let gaps = points.count { $0.kind == .gap }
        let windows = points.count - gaps
        let counts = [
            windows > 0 ? counted(windows, "window") : nil, gaps > 0 ? counted(gaps, "gap") : nil,
        ].compactMap(\.self)
        return "\(counts.listed) \(points.count == 1 ? "needs" : "need") attention"
    }

    private init?(_ stretch: FlowCoverage.Stretch, of flow: FlowCoverage) {
        switch stretch.state {
        case .gap: kind = .gap
        case .held: kind = .held
        case .tooFewRecords: kind = .tooFewRecords
        case .failed: kind = .failed
        case .succeeded, .running, .partial, .planned, .paused: return nil
        }
        self.flow = flow
        (start, end) = (stretch.start, stretch.end)
        why = stretch.why ?? ""
        runs = [stretch.run].compactMap(\.self)
    }

    private init(_ repeated: RepeatedWindow, of flow: FlowCoverage) {
        kind = .repeated
        self.flow = flow
        (start, end) = (repeated.window.start, repeated.window.end)
        why = repeated.inWords
        runs = repeated.runs.compactMap(\.id)
    }
}
