import Applier
import FlowRuns
import FlowService
import FlowServiceSimulator
import Foundation
import HTTPFlowService
import Ledger
import Manifests
import Reports
import Text

/// The flows of a sandbox, with the places where manifests declare them.
struct FlowInventory: Sendable {
    let target: String
    /// The flows, sorted by ID.
    let flows: [ServiceFlow]
    private let places: [FlowID: Place]
    /// The entries of the generated manifest; filled only for the format `yaml`.
    var starting: [ManifestTemplate.Entry] = []

    init(target: String, flows: [ServiceFlow], declarations: [FlowDeclaration]) {
        self.target = target
        self.flows = flows
        places = Dictionary(declarations.map { ($0.id, $0.place) }) { first, _ in first }
    }

    /// The flows that can be declared and are not.
    var undeclaredOneTime: [ServiceFlow] { flows.filter { places[$0.id] == nil && $0.blockingReason == nil } }

    private func lines(_ style: TextStyle) -> [StyledText] {
        let wide = table(style, isWide: true)
        let table = wide.fits ? wide : table(style, isWide: false)
        let declared = flows.count { places[$0.id] != nil }
        let counts = "\(grouped(declared)) declared, \(grouped(undeclaredOneTime.count)) more can be declared"
        return table.lines + style.lines("\(counted(flows.count, "flow")): \(counts).")
    }

    /// Builds the table of flows.
    ///
    /// - Parameter isWide: Whether each flow takes one line; otherwise, further details follow on a second line.
    private func table(_ style: TextStyle, isWide: Bool) -> TextTable {
        var table = TextTable(
            [.init("flow", isShrinkable: !isWide)] + (isWide ? [.init("id")] : []) + [
                .init("state"), .init("schedule"),
            ]
                + (isWide ? [.init("delta column")] : []) + [.init("declared")], style: style)
        for flow in flows {
            let place = places[flow.id].map { "\($0.file):\($0.line)" }
            let declared = place ?? flow.blockingReason.map { "not possible: \($0)" } ?? "no"
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

    /// The manifest that declares the flows with their windows so far.
    var template: ManifestTemplate {
        ManifestTemplate(target: target, entries: starting, localZone: TimeZone.current.identifier)
    }

    private func write(to json: inout JSONText) {
        json.member("formatVersion", 1)
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
        .yaml { inventory in inventory.template.yaml },
    ]
}

extension ServiceFlow {
    /// Whether the flow is scheduled for one-time ingestion, and so accepts run requests.
    var isOneTime: Bool { frequency?.lowercased() == "once" }

    /// The reason why the flow does not accept run requests; `nil` if it does.
    var blockingReason: String? { isOneTime ? (isDisabled ? state : nil) : "not one-time" }
}

extension FlowInventory {
    /// A choice of what to read about the runs of undeclared flows.
    enum Runs {
        case none
        /// The runs are also recorded in the target's ledger, so that a plan of the generated manifest has no requests.
        case recorded
        case notRecorded
    }

    /// Reads the flows of the target's sandbox.
    ///
    /// - Parameters:
    ///   - simulated: The flows of the embedded simulator.
    ///   - runs: Whether to read the runs for ``starting``.
    ///   - progress: Shows how many flows' runs have been read.
    static func read(
        _ target: Target, declarations: [FlowDeclaration] = [], simulated: [SimulatedFlow] = [], runs: Runs,
        options: ServiceOptions, progress: Progress, stop: StopSignal
    ) async throws -> FlowInventory {
        try await Connection.with(target, flows: simulated, options: options, stop: stop) { service in
            var inventory = try await Self.read(target, declarations, service)
            if runs != .none, !inventory.undeclaredOneTime.isEmpty {
                let flows = try await inventory.undeclared(of: target, service)
                if runs == .recorded {
                    inventory.starting = try await TargetLedger.with(target, writing: true) { ledger in
                        try await entries(flows, ledger.context(service, stop: stop), target, progress)
                    }
                } else {
                    let context = ApplierContext(
                        store: InMemoryStore(), service: service, limits: target.limits, stop: stop)
                    inventory.starting = try await entries(flows, context, target, progress)
                }
            }
            return inventory
        }
    }

    private static func read(
        _ target: Target, _ declarations: [FlowDeclaration], _ service: HTTPFlowService
    ) async throws(Failure) -> FlowInventory {
        do throws(FlowServiceError) {
            let flows = try await service.flows().sorted { $0.id < $1.id }
            return FlowInventory(target: target.name, flows: flows, declarations: declarations)
        } catch { throw Failure(error) }
    }

    /// Returns the flows that can be declared and are not, without their windows.
    private func undeclared(
        of target: Target, _ service: HTTPFlowService
    ) async throws(Failure) -> [FlowDeclaration] {
        do throws(FlowServiceError) {
            var kinds: [String: SourceKind] = [:]
            for id in Set(undeclaredOneTime.compactMap(\.specification)) {
                guard let specification = try await service.runSpecification(id) else { continue }
                kinds[id] = specification.types["deltaColumn"] == nil ? .file : .table
            }
            return undeclaredOneTime.map { flow in
                FlowDeclaration(
                    id: flow.id, name: flow.name, manifest: target.name, target: target.name,
                    source: flow.specification.flatMap { kinds[$0] } ?? (flow.deltaColumn == nil ? .file : .table),
                    place: target.place)
            }
        } catch { throw Failure(error) }
    }

    /// Refreshes the flows' runs into the ledger, and returns the recorded runs as manifest entries.
    private static func entries(
        _ flows: [FlowDeclaration], _ context: ApplierContext, _ target: Target, _ progress: Progress
    ) async throws -> [ManifestTemplate.Entry] {
        let refresh = Refresh(context: context, wireForm: target.wireForm)
        let results = await refresh.run(flows) { progress.advance(of: flows.count) }
        progress.end()
        for result in results {
            switch result.end {
            case .read, .absent: continue
            case .stopped: throw Failure(.incomplete)
            case .failed(let error): throw Failure(error)
            }
        }
        var entries: [ManifestTemplate.Entry] = []
        for flow in flows {
            let snapshot = try await context.store.snapshot(of: flow.id)
            entries.append(
                ManifestTemplate.Entry(
                    id: flow.id, name: flow.name, source: flow.source, deltaColumn: snapshot.record.deltaColumn,
                    runs: snapshot.runs.filter(\.state.isAccepted)))
        }
        return entries
    }
}
