import FlowRuns
import Manifests

/// Which time each flow has covered, as one page: a picture with a lane for each flow, what needs attention, and a table.
/// It needs no network and no script, and follows the reader's dark or light scheme.
package struct CoverageReport: Sendable {
    private let target: String
    private let asOf: Timestamp
    private let flows: [FlowCoverage]

    private static let attentionLimit = 100
    /// A lane with more marks than this has none that tell their times: the page would grow too large.
    private static let titledMarks = 120
    private static let laneHeight = 18

    /// - Parameters:
    ///   - target: its name.
    ///   - asOf: the instant that the page shows.
    package init(target: String, asOf: Timestamp, flows: [FlowCoverage]) {
        self.target = target
        self.asOf = asOf
        self.flows = flows
    }

    var page: HTMLText {
        var html = HTMLText()
        html.verbatim("<!DOCTYPE html>\n")
        html.element("html", ["lang": "en"]) { html in
            html.element("head") { html in
                html.element("meta", ["charset": "utf-8"])
                html.element("meta", ["name": "viewport", "content": "width=device-width, initial-scale=1"])
                html.element("meta", ["name": "color-scheme", "content": "light dark"])
                html.element("title", text: "Coverage of \(target), \(UTCTime(asOf).date)")
                html.styleSheet(PackageResources.coverage_css)
            }
            html.element("body") { html in
                html.element("a", ["class": "skip", "href": "#table"], text: "Skip to the table")
                html.element("main") { body(&$0) }
            }
        }
        return html
    }

    private func body(_ html: inout HTMLText) {
        html.element("h1", text: "Coverage of \(target)")
        html.element("p", ["class": "lead"]) { html in
            html.add("\(counted(flows.count, "flow")), \(counted(windowCount, "window")), as of ")
            html.element("time", ["datetime": "\(asOf)"], text: "\(asOf)")
            html.add(". All times are UTC; a window's end is not part of it.")
        }
        guard let scale = CoverageScale(flows, asOf: asOf) else {
            html.element("p", ["class": "empty"], text: "No window is recorded, and none is due.")
            return
        }
        legend(&html)
        attention(&html)
        picture(&html, scale)
        table(&html)
    }

    private var windowCount: Int { total { $0 != .gap } }

    private func total(_ isWanted: (CoverageState) -> Bool) -> Int {
        flows.reduce(0) { sum, flow in sum + flow.counts.reduce(0) { $0 + (isWanted($1.key) ? $1.value : 0) } }
    }

    private func legend(_ html: inout HTMLText) {
        html.element("ul", ["class": "legend", "aria-label": "Legend, with counts over all flows"]) { html in
            for state in CoverageState.allCases {
                let count = total { $0 == state }
                html.element("li", count == 0 ? ["class": "none"] : [:]) { html in
                    html.element("svg", ["viewBox": "0 0 22 14", "width": "22", "height": "14", "aria-hidden": "true"])
                    {
                        $0.element("rect", ["class": state.name, "width": "22", "height": "14"])
                    }
                    html.element("b", text: grouped(count))
                    html.add(" \(state.inWords)")
                }
            }
        }
        // The patterns that tell states apart without their colours; every lane uses them.
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

    private func attention(_ html: inout HTMLText) {
        let points = AttentionPoint.all(in: flows)
        guard !points.isEmpty else { return }
        // A few are shown at once; many would push the picture off the screen.
        let isShort = points.count <= 8
        html.element("details", isShort ? ["class": "attention", "open": "open"] : ["class": "attention"]) { html in
            html.element("summary") { html in html.element("strong", text: AttentionPoint.summary(of: points)) }
            html.element("table") { html in
                head(&html, ["Flow", "What", "From", "To", "Length", "Why"])
                html.element("tbody") { html in
                    for point in points.prefix(Self.attentionLimit) { row(&html, point) }
                }
            }
            let rest = points.count - Self.attentionLimit
            if rest > 0 { html.element("p", text: "… and \(grouped(rest)) more; the table counts them by flow.") }
        }
    }

    private func row(_ html: inout HTMLText, _ point: AttentionPoint) {
        html.element("tr") { html in
            html.element("td") { $0.element("a", ["href": "#row-\(point.flow.id)"], text: point.flow.title) }
            html.element("td") { $0.element("span", ["class": "tag \(point.kind.name)"], text: point.kind.inWords) }
            html.element("td", text: "\(point.start)")
            html.element("td", text: "\(point.end)")
            html.element("td", text: spanText(point.end - point.start))
            html.element("td", text: point.why)
        }
    }

    private func picture(_ html: inout HTMLText, _ scale: CoverageScale) {
        let ticks = scale.ticks
        html.element("section", ["class": "picture", "aria-label": "Coverage of time, a lane for each flow"]) { html in
            html.element("div", ["class": "axis", "aria-hidden": "true"]) { html in
                html.element("div", ["class": "name"], text: "")
                html.element("div", ["class": "ticks"]) { html in
                    // A label at the very end would be cut.
                    for tick in ticks where tick.position < 0.92 {
                        html.element("span", ["style": "left:\(percent(tick.position))"], text: tick.label)
                    }
                }
            }
            let grid = ticks.map { "M\(Int($0.position * Double(CoverageLane.width))) 0v\(Self.laneHeight)" }.joined()
            let isNowShown = asOf <= scale.end
            let now =
                isNowShown ? "M\(Int(scale.position(asOf) * Double(CoverageLane.width))) 0v\(Self.laneHeight)" : ""
            for flow in flows {
                html.element("div", ["class": "lane"]) { html in
                    html.element(
                        "a", ["class": "name", "href": "#row-\(flow.id)", "title": flow.title], text: flow.title)
                    lane(&html, flow, scale, grid: grid, now: now)
                }
            }
        }
    }

    private func lane(_ html: inout HTMLText, _ flow: FlowCoverage, _ scale: CoverageScale, grid: String, now: String) {
        let lane = CoverageLane(flow, scale)
        html.element(
            "svg",
            [
                "viewBox": "0 0 \(CoverageLane.width) \(Self.laneHeight)", "preserveAspectRatio": "none", "role": "img",
                "aria-label": "\(flow.title): \(flow.inWords)",
            ]
        ) { html in
            html.element("path", ["class": "grid", "d": grid])
            if lane.marks.count <= Self.titledMarks {
                for mark in lane.marks { titled(&html, mark) }
            } else {
                for state in CoverageState.allCases { joined(&html, lane.marks.filter { $0.state == state }, state) }
            }
            html.element("path", ["class": "now", "d": now])
        }
    }

    private func titled(_ html: inout HTMLText, _ mark: CoverageLane.Mark) {
        let box: KeyValuePairs = [
            "class": mark.state.name, "x": "\(mark.columns.lowerBound)", "y": "\(mark.state.top)",
            "width": "\(mark.columns.count)", "height": "\(Self.laneHeight - 2 * mark.state.top)",
        ]
        html.element("rect", box) { html in
            let count = mark.count > 1 ? "\(grouped(mark.count)) × " : ""
            html.element("title", text: "\(count)\(mark.state.inWords): \(mark.start) … \(mark.end)")
        }
    }

    private func joined(_ html: inout HTMLText, _ marks: [CoverageLane.Mark], _ state: CoverageState) {
        guard !marks.isEmpty else { return }
        let height = Self.laneHeight - 2 * state.top
        let boxes = marks.map {
            "M\($0.columns.lowerBound) \(state.top)h\($0.columns.count)v\(height)h-\($0.columns.count)z"
        }
        html.element("path", ["class": state.name, "d": boxes.joined()])
    }

    private func table(_ html: inout HTMLText) {
        html.element("h2", ["id": "table"], text: "By flow")
        html.element("div", ["class": "scroll", "tabindex": "0", "role": "region", "aria-labelledby": "table"]) {
            html in
            html.element("table") { html in
                let states = CoverageState.allCases
                head(&html, ["Flow", "Declared at"] + states.map(\.title) + ["Time in gaps", "First", "Last"])
                html.element("tbody") { html in
                    for flow in flows { row(&html, flow) }
                }
            }
        }
    }

    private func row(_ html: inout HTMLText, _ flow: FlowCoverage) {
        html.element("tr", ["id": "row-\(flow.id)"]) { html in
            html.element("th", ["scope": "row"]) { html in
                html.add(flow.title)
                html.element("small", text: flow.isVerified ? "\(flow.id)" : "\(flow.id) · not verified")
            }
            html.element("td", text: "\(flow.place.file):\(flow.place.line)")
            for state in CoverageState.allCases {
                let count = flow.count(state)
                html.element(
                    "td", ["class": count > 0 && state >= .gap ? "number alarm" : "number"],
                    text: count == 0 ? "" : grouped(count))
            }
            html.element("td", ["class": "number"], text: flow.gapLength > .zero ? spanText(flow.gapLength) : "")
            html.element("td", text: flow.stretches.first.map { UTCTime($0.start).date } ?? "")
            html.element("td", text: flow.stretches.map(\.end).max().map { UTCTime($0).date } ?? "")
        }
    }

    private func head(_ html: inout HTMLText, _ titles: [String]) {
        html.element("thead") { html in
            html.element("tr") { html in
                for title in titles { html.element("th", ["scope": "col"], text: title) }
            }
        }
    }

    private func percent(_ position: Double) -> String { "\(Double(Int(position * 100_000)) / 1000)%" }
}

extension CoverageState {
    /// Where its marks begin below the lane's upper edge: failures and doubts stand out from it.
    fileprivate var top: Int { self >= .held ? 0 : 2 }

    /// The title of its column.
    fileprivate var title: String {
        switch self {
        case .succeeded: "Succeeded"
        case .running: "Running"
        case .partial: "Partial"
        case .planned: "To request"
        case .postponed: "Postponed"
        case .gap: "Gaps"
        case .held: "Held"
        case .tooFewRecords: "Too few records"
        case .failed: "Failed"
        }
    }
}

extension CoverageReport: Report {
    package static let renderings: [Rendering<CoverageReport>] = [.html { report in report.page }]
}
