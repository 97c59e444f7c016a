import FlowRuns

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
