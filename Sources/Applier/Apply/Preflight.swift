import FlowRuns
import FlowService
import Manifests
import Planner

/// A check of declared flows against the service's descriptions of them, before anything is sent.
package struct Preflight: Sendable {
    let wireForm: WireForm

    package init(wireForm: WireForm) { self.wireForm = wireForm }

    /// Reads the flow and its specification from the service, and checks them.
    ///
    /// - Parameter known: the flow, if it has just been read.
    func ask(
        _ subject: WatchedFlow, _ service: any FlowService, _ specifications: RunSpecifications,
        known: ServiceFlow? = nil
    ) async throws(FlowServiceError) -> (flow: ServiceFlow?, diagnostics: [Diagnostic]) {
        var flow = known
        if flow == nil { flow = try await service.flow(subject.id) }
        var specification: RunSpecification?
        if let id = flow?.specification { specification = try await specifications.read(id) }
        return (flow, check(subject, against: flow, specification))
    }

    /// Checks a declared flow against its description.
    ///
    /// - Parameters:
    ///   - subject: the declared properties of the flow.
    ///   - flow: the service's description; `nil` when the service does not have the flow.
    ///   - specification: the required shape of the flow's run requests; `nil` when the service does not report it.
    package func check(
        _ subject: WatchedFlow, against flow: ServiceFlow?, _ specification: RunSpecification?
    ) -> [Diagnostic] {
        guard let flow else {
            return [
                Diagnostic(
                    .flowNotFound, at: subject.place, "the service has no flow \(subject.id) in this sandbox",
                    suggestion: "check flowId, and the target's organization and sandbox")
            ]
        }
        return schedule(subject, flow) + state(subject, flow)
            + (specification.map { source(subject, $0) + form(subject, $0) } ?? [])
    }

    /// Checks that the flow is scheduled for one-time ingestion, as `POST /runs` requires (tutorial on on-demand
    /// ingestion).
    private func schedule(_ subject: WatchedFlow, _ flow: ServiceFlow) -> [Diagnostic] {
        guard let frequency = flow.frequency, frequency.lowercased() != "once" else { return [] }
        return [
            Diagnostic(
                .flowNotOneTime, at: subject.place,
                "the flow is scheduled every \(frequency), not for one-time ingestion: it takes no run requests",
                suggestion: "set the flow's scheduleParams.frequency to 'once', or remove it from the manifest")
        ]
    }

    private func state(_ subject: WatchedFlow, _ flow: ServiceFlow) -> [Diagnostic] {
        guard flow.isDisabled, let state = flow.state?.lowercased() else { return [] }
        return [
            Diagnostic(
                .flowDisabled, at: subject.place, "the flow is \(state) on the service",
                suggestion: "enable it first")
        ]
    }

    /// Checks the kind of the source: only table-based sources have a delta column in their specification. A required
    /// delta column proves a table-based source. An optional or missing one is only a hint, because the specification
    /// may be incomplete.
    private func source(_ subject: WatchedFlow, _ specification: RunSpecification) -> [Diagnostic] {
        guard !specification.types.isEmpty else { return [] }
        let hasColumn = specification.types["deltaColumn"] != nil
        guard hasColumn != (subject.source == .table) else { return [] }
        let real: SourceKind = hasColumn ? .table : .file
        return [
            Diagnostic(
                .sourceKindDisagrees, specification.required.contains("deltaColumn") ? .error : .warning,
                at: subject.place,
                "the flow is declared with 'source: \(subject.source)', but its specification is that of a "
                    + "\(real) source",
                suggestion: "write 'source: \(real)'"
                    + (real == .file && subject.deltaColumn != nil ? ", and remove 'deltaColumn'" : ""))
        ]
    }

    /// Checks the form of the requests. Returns warnings, not errors: the documentation is inconsistent (the tutorials
    /// send strings to flows whose specification requires integers), and a request in the wrong form is refused without
    /// harm.
    private func form(_ subject: WatchedFlow, _ specification: RunSpecification) -> [Diagnostic] {
        var diagnostics: [Diagnostic] = []
        func warn(_ message: String, _ setting: String) {
            diagnostics.append(
                Diagnostic(
                    .requestDisagreesWithSpecification, .warning, at: subject.place, message,
                    suggestion: "if the service refuses the request, set 'spec.request.\(setting)' in the Target"))
        }
        let sendsString = wireForm.times == .string
        if let type = specification.types["windowStartTime"], ["string", "integer", "number"].contains(type),
            (type == "string") != sendsString
        {
            warn(
                "the flow's specification wants window times as \(type), the target sends "
                    + (sendsString ? "strings" : "integers"), "times: \(type == "string" ? "string" : "integer")")
        }
        if let column = subject.deltaColumn {
            let given = [
                "name": column.column.name, "dateFormat": column.column.dateFormat, "timezone": column.column.timezone,
            ]
            let missing = specification.requiredOfColumn.sorted().filter { given[$0] == .some(nil) }
            for key in missing {
                diagnostics.append(
                    Diagnostic(
                        .requestDisagreesWithSpecification, .warning, at: column.place,
                        "the flow's specification requires '\(key)' of a delta column, and the manifest does not give it",
                        suggestion: "write '\(SuggestedYAML.deltaColumn(column.column, missing: missing))'"))
            }
        }
        if specification.required.contains("startTime"), wireForm.startTime == .omit {
            warn("the flow's specification requires startTime, and the target leaves it out", "startTime: now")
        }
        return diagnostics
    }
}

extension Diagnostic {
    static func unknownReplaced(_ flow: FlowID, at place: Place) -> Diagnostic {
        Diagnostic(
            .replacedFlowUnknown, at: place,
            "neither the service nor the ledger knows the flow \(flow), which this flow replaces",
            suggestion: "check 'replaces', and the target's organization and sandbox")
    }
}

/// A cache of the flow specifications that one apply or refresh has read. Many flows share a specification, so each is
/// read only once, even by concurrent flows.
actor RunSpecifications {
    private enum Entry {
        /// The specification is being read. Other readers wait here.
        case asked([CheckedContinuation<Void, Never>])
        case known(RunSpecification?)
    }

    private let service: any FlowService
    private var entries: [String: Entry] = [:]

    init(_ service: any FlowService) { self.service = service }

    /// Returns the specification; `nil` when it has no `runSpec` or the service does not return it. A client without
    /// the right to read specifications may still request runs; only the check against the specification is skipped.
    func read(_ id: String) async throws(FlowServiceError) -> RunSpecification? {
        while case .asked = entries[id] { await wait(for: id) }
        if case .known(let specification) = entries[id] { return specification }
        entries[id] = .asked([])
        do throws(FlowServiceError) {
            let specification = try await ask(id)
            settle(id, as: .known(specification))
            return specification
        } catch {
            // Waiting readers retry on their own.
            settle(id, as: nil)
            throw error
        }
    }

    private func ask(_ id: String) async throws(FlowServiceError) -> RunSpecification? {
        do throws(FlowServiceError) { return try await service.runSpecification(id) } catch {
            switch error {
            case .refused, .unreadable, .malformed, .stale: return nil
            case .unavailable, .unauthorized, .stopped: throw error
            }
        }
    }

    private func wait(for id: String) async {
        await withCheckedContinuation { continuation in
            guard case .asked(let waiting) = entries[id] else { return continuation.resume() }
            entries[id] = .asked(waiting + [continuation])
        }
    }

    private func settle(_ id: String, as entry: Entry?) {
        if case .asked(let waiting) = entries[id] { for continuation in waiting { continuation.resume() } }
        entries[id] = entry
    }
}
