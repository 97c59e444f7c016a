import FlowRuns
import Manifests

/// An HTML page that shows which time each flow has covered: a picture with one lane per flow, the points that need
/// attention, and a table.
///
/// The page needs no network and follows the reader's dark or light scheme. It is complete without its script, which
/// only adds finding, filtering, zooming, sorting and copying.
package struct CoverageReport: Sendable {
    let target: String
    let asOf: Timestamp
    let flows: [FlowCoverage]
    let runLink: RunLink?
    /// The status of the flows at the same instant, for the share of due time that is there and the troubles; `nil` to
    /// leave both out.
    let status: StatusReport?

    /// Creates a report.
    ///
    /// - Parameters:
    ///   - target: The name of the target.
    ///   - asOf: The instant that the page shows.
    ///   - flows: The coverage of each flow.
    ///   - runLink: The link to a run, as a template.
    ///   - status: The status of the flows. The flows with the most severe troubles come first.
    package init(
        target: String, asOf: Timestamp, flows: [FlowCoverage], runLink: RunLink? = nil, status: StatusReport? = nil
    ) {
        self.target = target
        self.asOf = asOf
        let order = Dictionary(
            (status?.shownFlows ?? []).enumerated().map { ($0.element.id, $0.offset) }
        ) { first, _ in first }
        self.flows = flows.enumerated().sorted {
            (order[$0.element.id] ?? .max, $0.offset) < (order[$1.element.id] ?? .max, $1.offset)
        }.map(\.element)
        self.runLink = runLink
        self.status = status
    }

    var page: HTMLText {
        let style = HTMLText.Enclosure("style", PackageResources.coverage_css)
        let script = HTMLText.Enclosure("script", PackageResources.coverage_js)
        let policy =
            "default-src 'none'; style-src \(style.source); script-src \(script.source); base-uri 'none'; form-action 'none'"
        var html = HTMLText()
        html.verbatim("<!DOCTYPE html>\n")
        html.element("html", ["lang": "en"]) { html in
            html.element("head") { html in
                html.element("meta", ["charset": "utf-8"])
                html.element("meta", ["http-equiv": "Content-Security-Policy", "content": policy])
                html.element("meta", ["name": "viewport", "content": "width=device-width, initial-scale=1"])
                html.element("meta", ["name": "color-scheme", "content": "light dark"])
                html.element("title", text: "Coverage of \(target), \(UTCTime(asOf).date)")
                html.add(style)
            }
            html.element("body") { html in
                guard let scale = CoverageScale(flows, asOf: asOf) else {
                    return html.element("main") { html in
                        lead(&html)
                        html.element("p", text: "No window is recorded, and none is due.")
                    }
                }
                html.element("a", ["class": "skip", "href": "#table"], text: "Skip to the table")
                html.element("main") { html in
                    lead(&html)
                    troubles(&html)
                    legend(&html)
                    tools(&html, scale)
                    attention(&html)
                    picture(&html, scale)
                    table(&html)
                }
                html.data(id: "data", data(scale))
                html.add(script)
            }
        }
        return html
    }

    private func lead(_ html: inout HTMLText) {
        html.element("h1", text: "Coverage of \(target)")
        if let status, let share = status.share {
            let late = status.flows.count { $0.behind > .zero && $0.mark != .paused }
            let lateText = late == 0 ? "no flow is late" : counted(late, "flow is late", "flows are late")
            html.element("p", ["class": "lead"]) { html in
                html.element("strong", text: "\(share.percentText) of due time is there")
                html.add("; \(lateText).")
            }
        }
        html.element("p", ["class": "lead"]) { html in
            html.add("\(counted(flows.count, "flow")), \(counted(windowCount, "window")), as of ")
            html.element("time", ["datetime": "\(asOf)"], text: "\(asOf)")
            html.add(". \(refreshText(flows.map(\.refreshedAt), asOf: asOf))")
            html.add(" All times are UTC; a window's end is not part of it.")
        }
    }

    private var windowCount: Int { CoverageState.allCases.filter { $0 != .gap }.reduce(0) { $0 + total($1) } }

    /// The states to show: `succeeded`, and all others that occur. The columns of other states would be empty.
    var shownStates: [CoverageState] { CoverageState.allCases.filter { $0 == .succeeded || total($0) > 0 } }

    func total(_ state: CoverageState) -> Int { flows.reduce(0) { $0 + $1.counts[state] } }

    private func legend(_ html: inout HTMLText) {
        html.element("ul", ["class": "legend", "aria-label": "Legend, with counts over all flows"]) { html in
            for state in shownStates {
                html.element("li") { html in
                    html.element("svg", ["viewBox": "0 0 22 14", "width": "22", "height": "14", "aria-hidden": "true"])
                    {
                        $0.element("rect", ["class": state.name, "width": "22", "height": "14"])
                    }
                    html.element("b", text: grouped(total(state)))
                    html.add(" \(state.inWords)")
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

extension CoverageReport: Report {
    package static let renderings: [Rendering<CoverageReport>] = [.html { report in report.page }]
}
