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
        var table = TextTable(
            [
                .init("flow"), .init("name", givesWay: true), .init("state"), .init("schedule"), .init("delta column"),
                .init("declared", givesWay: true),
            ], style: style)
        for flow in flows {
            let declared = places[flow.id].map(\.description) ?? flow.obstacle.map { "not possible: \($0)" } ?? "no"
            table.add([
                flow.id.description, flow.name ?? "", flow.state ?? "", flow.frequency ?? "",
                flow.deltaColumn?.name ?? "", declared,
            ])
        }
        let declared = flows.count { places[$0.id] != nil }
        let counts = "\(grouped(declared)) declared, \(grouped(undeclaredOneTime.count)) more can be declared"
        return table.lines + style.lines("\(counted(flows.count, "flow")): \(counts).")
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
