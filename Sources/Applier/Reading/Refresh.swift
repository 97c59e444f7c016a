import FlowRuns
import FlowService
import Ledger
import Manifests
import RunRequests

/// Reads what the service knows of the declared flows into the ledger: their runs, what became of them, their delta
/// columns. Flows in parallel, under the target's rate limit.
package struct Refresh: Sendable {
    let context: ApplierContext
    let wireForm: WireForm

    package init(context: ApplierContext, wireForm: WireForm) {
        self.context = context
        self.wireForm = wireForm
    }

    /// What became of one flow's refresh.
    package struct Result: Hashable, Sendable {
        package enum End: Hashable, Sendable {
            /// - Parameter open: requests of which nothing is known yet.
            case read(ListingFindings, open: Int)
            /// The service does not know the flow.
            case absent
            case failed(RefreshError)
            case stopped
        }

        package let flow: FlowID
        package let end: End
        /// Where the service disagrees with the manifest.
        package let diagnostics: [Diagnostic]
    }

    /// - Parameter readsAll: also reads runs again that had ended.
    /// - Returns: a result for each flow, sorted.
    package func run(_ declarations: [FlowDeclaration], readsAll: Bool = false) async -> [Result] {
        let specifications = RunSpecifications(context.service)
        let results = await context.inParallel(declarations) { await read($0, specifications, readsAll: readsAll) }
        return results.sorted { $0.flow < $1.flow }
    }

    private func read(
        _ declaration: FlowDeclaration, _ specifications: RunSpecifications, readsAll: Bool
    ) async -> Result {
        var diagnostics: [Diagnostic] = []
        var end = Result.End.stopped
        if !context.stop.isRequested {
            do throws(RefreshError) {
                end = try await read(declaration, specifications, readsAll: readsAll, &diagnostics)
            } catch .service(.stopped) {
                end = .stopped
            } catch {
                end = .failed(error)
            }
        }
        return Result(flow: declaration.id, end: end, diagnostics: diagnostics)
    }

    private func read(
        _ declaration: FlowDeclaration, _ specifications: RunSpecifications, readsAll: Bool,
        _ diagnostics: inout [Diagnostic]
    ) async throws(RefreshError) -> Result.End {
        let flow: ServiceFlow?
        do throws(FlowServiceError) {
            (flow, diagnostics) = try await Preflight(wireForm: wireForm).ask(
                declaration, context.service, specifications)
        } catch { throw .service(error) }
        guard let flow else { return .absent }
        var comparison = FlowComparison(declaration.id, acknowledged: declaration.acknowledged, context)
        comparison.readsRunsUnderWay = true
        let (ledger, findings) = try await comparison.compare(readsAll ? .full : .newest, column: flow.deltaColumn)
        return .read(findings, open: ledger.openRequests.count)
    }
}
