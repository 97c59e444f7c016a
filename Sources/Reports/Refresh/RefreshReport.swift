import FlowRuns
import Ledger
import Manifests
import Text

/// The result of a refresh, for each flow.
package struct RefreshReport: Sendable {
    /// The result of refreshing one flow.
    package enum Outcome: Hashable, Sendable {
        /// The flow's runs were read.
        case read(Tally<ListingCount>)
        /// The service does not have the flow.
        case absent
        case failed(String)
        case stopped
    }

    package struct Flow: Sendable {
        package let id: FlowID
        package let name: String?
        package let outcome: Outcome
        /// The differences between the service and the manifest.
        package let diagnostics: [Diagnostic]

        package init(id: FlowID, name: String?, outcome: Outcome, diagnostics: [Diagnostic]) {
            self.id = id
            self.name = name
            self.outcome = outcome
            self.diagnostics = diagnostics
        }

        package var title: String { name ?? id.description }
    }

    package let target: String
    package let flows: [Flow]
    /// The status of the flows after the refresh, whose troubles the report shows; `nil` to show none.
    package var status: StatusReport?

    package init(target: String, flows: [Flow]) {
        self.target = target
        self.flows = flows
    }

    /// The counts in words, such as `refreshed 3 flows: 16 runs read, 0 new, 4 ended since the last refresh`.
    private var summary: String {
        let read = flows.compactMap { if case .read(let counts) = $0.outcome { counts } else { nil } }
        let counts = read.reduce([:], +)
        return "refreshed \(counted(read.count, "flow")): \(counted(counts[.read], "run")) read, "
            + "\(grouped(counts[.new])) new, \(grouped(counts[.ended])) ended since the last refresh"
    }
}

extension RefreshReport: Report {
    package static let renderings: [Rendering<RefreshReport>] = [
        .text { report, style in
            let troubles = report.status.map { StatusText($0, style).troubles } ?? []
            return ["\(report.summary)"] + (troubles.isEmpty ? [] : .blank + troubles.dropLast())
        },
        .json { report, json, _ in json.members(of: report) },
    ]
}

extension JSONText {
    /// Writes the members of the report, with one flow per line.
    fileprivate mutating func members(of report: RefreshReport) {
        member("formatVersion", 1)
        member("target", report.target)
        array("flows") { json in
            for flow in report.flows { json.line { $0.members(of: flow, report.status) } }
        }
    }

    private mutating func members(of flow: RefreshReport.Flow, _ report: StatusReport?) {
        member("flowId", flow.id.description)
        optional("name", flow.name)
        switch flow.outcome {
        case .read(let counts):
            member("end", "read")
            object("runs") { json in
                for count in ListingCount.allCases { json.member(count.rawValue, counts[count]) }
            }
        case .absent: member("end", "absent")
        case .failed(let reason):
            member("end", "failed")
            member("reason", reason)
        case .stopped: member("end", "stopped")
        }
        if let report, let status = report.flows.first(where: { $0.id == flow.id }), !status.troubles.isEmpty {
            array("troubles") { json in
                for trouble in status.troubles { json.element { $0.members(of: trouble, status, report.arguments) } }
            }
        }
        if !flow.diagnostics.isEmpty {
            array("diagnostics") { json in
                for diagnostic in flow.diagnostics { json.element { $0.members(of: diagnostic) } }
            }
        }
    }
}
