import FlowRuns
import FlowService
import Manifests
import Reports
import RunRequests
import Text

/// The flows of a sandbox beside those that the manifests declare.
struct FlowInventory: Sendable {
    let target: String
    /// Sorted.
    let flows: [ServiceFlow]
    private let places: [FlowID: Place]
    /// What a manifest to start from declares; only the format `yaml` needs it.
    var starting: [StartingManifest.Entry] = []

    init(target: String, flows: [ServiceFlow], declarations: [FlowDeclaration]) {
        self.target = target
        self.flows = flows
        places = Dictionary(declarations.map { ($0.id, $0.place) }) { first, _ in first }
    }

    /// Those that could be declared and are not.
    var undeclaredOneTime: [ServiceFlow] { flows.filter { places[$0.id] == nil && $0.obstacle == nil } }

    private func lines(_ style: TextStyle) -> [StyledText] {
        let wide = table(style, isWide: true)
        let table = wide.fits ? wide : table(style, isWide: false)
        let declared = flows.count { places[$0.id] != nil }
        let counts = "\(grouped(declared)) declared, \(grouped(undeclaredOneTime.count)) more can be declared"
        return table.lines + style.lines("\(counted(flows.count, "flow")): \(counts).")
    }

    /// - Parameter isWide: all in one line; otherwise what would not fit stands below.
    private func table(_ style: TextStyle, isWide: Bool) -> TextTable {
        var table = TextTable(
            [.init("flow", givesWay: !isWide)] + (isWide ? [.init("id")] : []) + [.init("state"), .init("schedule")]
                + (isWide ? [.init("delta column")] : []) + [.init("declared")], style: style)
        for flow in flows {
            let place = places[flow.id].map { "\($0.file):\($0.line)" }
            let declared = place ?? flow.obstacle.map { "not possible: \($0)" } ?? "no"
            let column = flow.deltaColumn?.name
            table.add(
                [flow.name ?? flow.id.description] + (isWide ? [flow.id.description] : [])
                    + [flow.state ?? "", flow.frequency ?? ""] + (isWide ? [column ?? ""] : [])
                    + [isWide || place == nil ? declared : "yes"])
            guard !isWide else { continue }
            let remarks = [
                flow.name.map { _ in flow.id.description }, column.map { "delta column \($0)" }, place,
            ]
            table.addRemark(remarks.compactMap(\.self).joined(separator: ", "))
        }
        return table
    }

    private func write(to json: inout JSONText) {
        json.array("flows") { json in
            for flow in flows {
                json.element {
                    $0.member("flowId", flow.id.description)
                    if let name = flow.name { $0.member("name", name) }
                    if let state = flow.state { $0.member("state", state) }
                    if let frequency = flow.frequency { $0.member("frequency", frequency) }
                    if let column = flow.deltaColumn { $0.object("deltaColumn") { $0.members(of: column) } }
                    $0.member("oneTime", flow.isOneTime)
                    if let place = places[flow.id] { $0.member("declared", place.description) }
                }
            }
        }
    }
}

extension FlowInventory: Report {
    static let renderings: [Rendering<FlowInventory>] = [
        .text { inventory, style in inventory.lines(style) },
        .json { inventory, json, _ in inventory.write(to: &json) },
        .yaml { inventory in StartingManifest(target: inventory.target, entries: inventory.starting).yaml },
    ]
}

extension ServiceFlow {
    /// Scheduled for one-time ingestion: it takes run requests.
    var isOneTime: Bool { frequency?.lowercased() == "once" }

    /// Why it takes no run requests; `nil` when it does.
    var obstacle: String? { isOneTime ? (isDisabled ? state : nil) : "not one-time" }
}
