import FlowRuns
import FlowService

/// Reads of several runs or flows in one request, with a filter that has several values.
extension HTTPFlowService {
    package func runs(
        ofAny flows: [FlowID], after next: String?
    ) async throws(FlowServiceError) -> Page<ListedRun> {
        let filters = [("property", Self.filter("flowId", ids: flows)), ("orderby", "-createdAt")]
        return try await page(of: "/runs", filters: filters, after: next).map { item, page throws(FlowServiceError) in
            let document = RunDocument(document: item, listedAt: page.date ?? time.now())
            guard let run = document.listed else { throw .unreadable("a run has no id") }
            return run
        }
    }

    package func flows(ids: [FlowID], after next: String?) async throws(FlowServiceError) -> Page<ServiceFlow> {
        let filters = [("property", Self.filter("id", ids: ids))]
        return try await page(of: "/flows", filters: filters, after: next).map { item, _ in
            let document = FlowDocument(document: item)
            return document.isWhole ? document.flow : nil
        }
    }

    package func runs(ids: [RunID]) async throws(FlowServiceError) -> [ListedRun] {
        var runs: [RunID: ListedRun] = [:]
        // A comma in an ID would split it.
        let askable = Set(ids).filter { !$0.description.contains(",") }.sorted()
        for group in askable.chunks(of: SeveralValues.maxIDs) where group.count > 1 {
            do throws(FlowServiceError) {
                let page = try await page(
                    of: "/runs", filters: [("property", Self.filter("id", ids: group))], after: nil)
                for item in page.items {
                    let run = RunDocument(document: item, listedAt: page.date ?? time.now()).listed
                    if let run, group.contains(run.run.id) { runs[run.run.id] = run }
                }
            } catch .refused {
                // The service does not support this filter.
                break
            }
        }
        for id in Set(ids).sorted() where runs[id] == nil { runs[id] = try await listed(id) }
        return ids.compactMap { runs.removeValue(forKey: $0) }
    }

    private static func filter(_ property: String, ids: [some CustomStringConvertible]) -> String {
        "\(property)==" + ids.map(\.description).joined(separator: ",")
    }
}
