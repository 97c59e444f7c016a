import FlowRuns
import FlowService
import Ledger
import Manifests
import RunRequests

/// Reads what the service knows of the declared flows into the ledger: their runs, what became of them, their delta
/// columns. Flows in parallel, under the target's rate limit.
package struct Refresh: Sendable {
    let ledger: any Ledger
    let service: any FlowService
    let limits: Limits
    let wireForm: WireForm
    let time: any TimeSource

    package init(
        ledger: any Ledger, service: any FlowService, limits: Limits, wireForm: WireForm,
        time: any TimeSource = SystemTime()
    ) {
        self.ledger = ledger
        self.service = service
        self.limits = limits
        self.wireForm = wireForm
        self.time = time
    }

    /// What became of one flow's refresh.
    package struct Result: Hashable, Sendable {
        package enum End: Hashable, Sendable {
            case read(FlowRefresh.Findings)
            /// An apply is at work on the flow; it reads for itself.
            case locked
            /// The service does not know the flow.
            case absent
            case failed(FlowRefresh.Failure)
            case stopped
        }

        package let flow: FlowID
        package let end: End
        /// Where the service disagrees with the manifest.
        package let diagnostics: [Diagnostic]
    }

    /// - Parameter depth: `full` also reads runs again that had ended.
    /// - Returns: a result for each flow, sorted.
    package func run(
        _ declarations: [FlowDeclaration], depth: FlowRefresh.Depth = .changes, stop: StopSignal = StopSignal()
    ) async -> [Result] {
        let round = Round(
            depth: depth, specifications: RunSpecifications(service), stop: stop)
        var results: [Result] = []
        await withTaskGroup(of: Result.self) { group in
            for (index, declaration) in declarations.enumerated() {
                if index >= limits.parallelFlows, let result = await group.next() { results.append(result) }
                group.addTask { await read(declaration, round) }
            }
            for await result in group { results.append(result) }
        }
        return results.sorted { $0.flow < $1.flow }
    }

    /// What the flows of one refresh share.
    private struct Round: Sendable {
        let depth: FlowRefresh.Depth
        let specifications: RunSpecifications
        let stop: StopSignal
    }

    private func read(_ declaration: FlowDeclaration, _ round: Round) async -> Result {
        func result(_ end: Result.End, _ diagnostics: [Diagnostic] = []) -> Result {
            Result(flow: declaration.id, end: end, diagnostics: diagnostics)
        }
        if round.stop.isRequested { return result(.stopped) }
        do throws(FlowRefresh.Failure) {
            let outcome = try await ledger.locked(declaration.id) { () async throws(FlowRefresh.Failure) in
                try await readLocked(declaration, round)
            }
            guard let (findings, diagnostics) = outcome else { return result(.locked) }
            return result(findings.map(Result.End.read) ?? .absent, diagnostics)
        } catch { return result(error == .service(.stopped) ? .stopped : .failed(error)) }
    }

    /// - Returns: no findings when the service does not know the flow.
    private func readLocked(
        _ declaration: FlowDeclaration, _ round: Round
    ) async throws(FlowRefresh.Failure) -> (FlowRefresh.Findings?, [Diagnostic]) {
        let (flow, diagnostics) = try await Preflight(wireForm: wireForm).ask(
            declaration, service, round.specifications)
        guard let flow else { return (nil, diagnostics) }
        let findings = try await FlowRefresh(ledger: ledger, service: service, time: time).read(
            declaration.id, column: flow.deltaColumn, settle: limits.settle,
            acknowledged: Set(declaration.acknowledged.map(\.run)), depth: round.depth)
        return (findings, diagnostics)
    }
}
