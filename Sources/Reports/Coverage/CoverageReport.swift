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
    /// The flows in groups, both those with the most severe troubles first.
    let groups: [CoverageGroup]
    let runLink: RunLink?
    /// The status of the flows at the same instant, for the share of due time that is there and the troubles; `nil` to
    /// leave both out.
    let status: StatusReport?
    let statusOf: [FlowID: FlowStatus]

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
        let ranked = (status?.shownFlows ?? []).enumerated().map {
            ($0.element.id, (rank: $0.offset, flow: $0.element))
        }
        let statuses = Dictionary(ranked) { first, _ in first }
        groups = CoverageGroup.groups(
            of: flows.enumerated().sorted {
                (statuses[$0.element.id]?.rank ?? .max, $0.offset) < (statuses[$1.element.id]?.rank ?? .max, $1.offset)
            }.map(\.element))
        statusOf = statuses.mapValues(\.flow)
        self.runLink = runLink
        self.status = status
    }

    /// The flows in the order of the page.
    var flows: [FlowCoverage] { groups.flatMap(\.flows) }
    var flowCount: Int { groups.reduce(0) { $0 + $1.flows.count } }

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
                    tools(&html, scale)
                    legend(&html)
                    picture(&html, scale)
                    outside(&html, scale)
                    troubles(&html)
                    attention(&html)
                    table(&html)
                }
                html.element(
                    "section", ["id": "panel", "role": "dialog", "aria-labelledby": "panel-title", "hidden": ""]
                ) { _ in }
                html.element("div", ["id": "tip", "class": "tip", "hidden": ""]) { _ in }
                var data = CoverageData(self, scale)
                html.data(id: "data", data.json())
                html.add(script)
            }
        }
        return html
    }

    private func lead(_ html: inout HTMLText) {
        html.element("h1", text: "Coverage of \(target)")
        if let status, let share = status.share {
            let late = status.flows.count(where: \.isLate)
            let lateText = late == 0 ? "no flow is late" : counted(late, "flow is late", "flows are late")
            html.element("p", ["class": "headline"]) { html in
                html.element("strong", text: "\(share.preciseText) of due time is there")
                html.add("; ")
                html.element("span", late == 0 ? [:] : ["class": "alarm"], text: lateText)
                html.add(".")
            }
        }
        html.element("p", ["class": "lead"]) { html in
            html.add("\(counted(flows.count, "flow")), \(counted(windowCount, "window")), as of ")
            html.element("time", ["datetime": "\(asOf)"], text: "\(asOf)")
            html.add(". \(refreshText(flows.map(\.refreshedAt), asOf: asOf))")
            html.add(" All times are in ")
            html.element("span", ["class": "zone"], text: "UTC")
            html.add("; a window's end is not part of it.")
        }
    }

    private var windowCount: Int { CoverageState.allCases.filter { $0 != .gap }.reduce(0) { $0 + total($1) } }

    /// The states to show: `succeeded`, and all others that occur. The columns of other states would be empty.
    var shownStates: [CoverageState] { CoverageState.allCases.filter { $0 == .succeeded || total($0) > 0 } }

    func total(_ state: CoverageState) -> Int { flows.reduce(0) { $0 + $1.counts[state] } }
}

extension CoverageReport: Report {
    package static let renderings: [Rendering<CoverageReport>] = [.html { report in report.page }]
}

/// Flows that the coverage page shows together: those of one manifest, or of one owner if each manifest has one flow.
struct CoverageGroup: Sendable {
    let title: String
    let flows: [FlowCoverage]

    /// Groups flows in the order in which the groups first occur.
    static func groups(of flows: [FlowCoverage]) -> [CoverageGroup] {
        let isByManifest = Set(flows.map(\.manifest)).count < flows.count
        func title(_ flow: FlowCoverage) -> String {
            let owner = flow.owner.map { "owned by \($0)" }
            guard isByManifest else { return owner ?? "without an owner" }
            return [flow.manifest, owner].compactMap(\.self).joined(separator: ", ")
        }
        return flows.groups(by: title).map { CoverageGroup(title: $0.key, flows: $0.elements) }
    }
}
