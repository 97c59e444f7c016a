import FlowRuns
import FlowService
import Ledger
import Manifests
import Planner

/// A refresh of the ledger: reads the declared flows' runs, the runs' states and the delta columns from the service.
/// Flows are read in parallel, under the target's rate limit.
package struct Refresh: Sendable {
    let context: ApplierContext
    let wireForm: WireForm

    package init(context: ApplierContext, wireForm: WireForm) {
        self.context = context
        self.wireForm = wireForm
    }

    /// The result of one flow's refresh.
    package struct Result: Hashable, Sendable {
        package enum End: Hashable, Sendable {
            case read(Tally<ListingCount>)
            /// The service does not have the flow.
            case absent
            case failed(RefreshError)
            case stopped
        }

        package let flow: FlowID
        package let end: End
        /// Differences between the service and the manifest.
        package let diagnostics: [Diagnostic]
    }

    /// Refreshes all declared flows.
    ///
    /// - Parameters:
    ///   - declarations: the flows to refresh.
    ///   - readsAll: whether to read all runs again, including those that had ended.
    ///   - reportFlow: called after each flow.
    /// - Returns: the results of the flows, sorted by flow ID.
    package func run(
        _ declarations: [FlowDeclaration], readsAll: Bool = false, reportFlow: @escaping @Sendable () -> Void = {}
    ) async -> [Result] {
        let specifications = RunSpecifications(context.service)
        let group = GroupReading(context: context)
        let flows = await group.flows(declarations.map(\.id))
        let listings = readsAll ? [:] : await group.runs(of: declarations)
        let results = await context.inParallel(declarations) { declaration in
            let id = declaration.id
            let known = Known(flow: flows[id], listing: listings[id], readsAll: readsAll)
            let result = await read(declaration, known, specifications)
            reportFlow()
            return result
        }
        return results.sorted { $0.flow < $1.flow }
    }

    /// The data of a flow that was read together with other flows.
    private struct Known {
        let flow: ServiceFlow?
        let listing: RunListing?
        let readsAll: Bool
    }

    private func read(
        _ declaration: FlowDeclaration, _ known: Known, _ specifications: RunSpecifications
    ) async -> Result {
        var diagnostics: [Diagnostic] = []
        var end = Result.End.stopped
        if !context.stop.isRequested {
            do throws(RefreshError) {
                end = try await read(declaration, known, specifications, &diagnostics)
            } catch .service(.stopped) {
                end = .stopped
            } catch {
                end = .failed(error)
            }
        }
        return Result(flow: declaration.id, end: end, diagnostics: diagnostics)
    }

    private func read(
        _ declaration: FlowDeclaration, _ known: Known, _ specifications: RunSpecifications,
        _ diagnostics: inout [Diagnostic]
    ) async throws(RefreshError) -> Result.End {
        let flow: ServiceFlow?
        do throws(FlowServiceError) {
            (flow, diagnostics) = try await Preflight(wireForm: wireForm).ask(
                WatchedFlow(declaration), context.service, specifications, known: known.flow)
        } catch { throw .service(error) }
        guard let flow else { return .absent }
        var comparison = FlowComparison(declaration.id, acknowledged: declaration.acknowledged, context)
        comparison.readsRunsUnderWay = true
        if let listing = known.listing,
            let (_, findings) = try await comparison.merge(
                listing, column: flow.deltaColumn, ifUsable: { GroupListing.isReliable(for: $0) })
        {
            return .read(findings.counts)
        }
        return .read(
            try await comparison.compare(known.readsAll ? .full : .newest, column: flow.deltaColumn).1.counts)
    }
}
