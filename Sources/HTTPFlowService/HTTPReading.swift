import FlowRuns
import FlowService
import Text

/// Reads of the service. Reads are idempotent, so transient errors are retried.
extension HTTPFlowService {
    package func runs(
        of flow: FlowID, newestFirst: Bool, after next: String?
    ) async throws(FlowServiceError) -> Page<ObservedRun> {
        let filters = [("property", "flowId==\(flow)")] + (newestFirst ? [("orderby", "-createdAt")] : [])
        return try await page(of: "/runs", filters: filters, after: next).map { item, page throws(FlowServiceError) in
            let document = RunDocument(document: item, listedAt: page.date ?? time.now())
            guard document.flow == nil || document.flow == flow else { return nil }
            guard let run = document.observed else { throw .unreadable("a run of flow \(flow) has no id") }
            return run
        }
    }

    /// Reads one run. Returns `nil` on 404, and when the returned list is empty.
    private func listed(_ run: RunID) async throws(FlowServiceError) -> ListedRun? {
        guard let (items, listedAt) = try await items("/runs/", run.description), !items.isEmpty else { return nil }
        let runs = items.lazy.compactMap { RunDocument(document: $0, listedAt: listedAt).listed }
        guard let match = runs.first(where: { $0.run.id == run }) else {
            throw .unreadable("asked for run \(run), it answered with another")
        }
        return match
    }

    /// Reads one flow. Returns `nil` on 404, and when the returned list is empty.
    ///
    /// - Throws: `FlowServiceError` when the service cannot be read.
    package func flow(_ flow: FlowID) async throws(FlowServiceError) -> ServiceFlow? {
        guard let (items, _) = try await items("/flows/", flow.description), !items.isEmpty else { return nil }
        guard let match = items.lazy.compactMap({ FlowDocument(document: $0).flow }).first(where: { $0.id == flow })
        else { throw .unreadable("asked for flow \(flow), it answered with another") }
        return match
    }

    package func flows(after next: String?) async throws(FlowServiceError) -> Page<ServiceFlow> {
        try await page(of: "/flows", filters: [], after: next).map { item, _ throws(FlowServiceError) in
            guard let flow = FlowDocument(document: item).flow else { throw .unreadable("a flow's id is not a UUID") }
            return flow
        }
    }

    /// Reads the `runSpec` of a flow specification. Returns `nil` on 404, and when there is none. A client without the
    /// right to read specifications (403) may still request runs, so a 403 fails only this read.
    ///
    /// - Throws: `FlowServiceError` when the service cannot be read.
    package func runSpecification(_ specification: String) async throws(FlowServiceError) -> RunSpecification? {
        let specifications = try await items("/flowSpecs/", specification, isPrivileged: true)
        return specifications?.items.first.flatMap { RunSpecification($0) }
    }

    // MARK: - Pages and items

    /// Reads one page. The next page's link may contain only a cursor, so the filters are sent again, and parameters of
    /// the link that duplicate a filter are dropped.
    func page(
        of path: String, filters: [(String, String)], after next: String?
    ) async throws(FlowServiceError) -> Page<JSONDocument> {
        let names = filters.map(\.0) + ["limit"]
        // A different page size is a different cache key.
        let response = try await get(path) { variant in
            let own = filters + [("limit", String(max(1, pageLimit - variant)))]
            let ownQuery = own.map { "\($0)=\($1.percentEncoded { "=,".utf8.contains($0) })" }.joined(separator: "&")
            return next.flatMap { $0.isEmpty ? nil : "\(ownQuery)&\($0)" } ?? ownQuery
        }
        guard let (page, answer) = response, let items = page["items"].elements else {
            throw .unreadable("a page of \(path) has no items")
        }
        let link = page["_links"]["next"]["href"].text ?? page["_links"]["next"].text ?? ""
        return Page(
            items: items, next: link.isEmpty ? nil : Self.continuation(link, without: names),
            date: answer.serverTime, requestedAt: answer.serverTime.map { $0 - (answer.received - answer.sent) })
    }

    /// Returns the query parameters of a next-page link, except those in `own`. Existing percent-encoding is preserved
    /// where it is valid in a URL.
    static func continuation(_ link: String, without own: [String]) -> String {
        guard let mark = link.firstIndex(of: "?") else { return "" }
        let parameters = link[link.index(after: mark)...].prefix { $0 != "#" }.split(separator: "&")
        return parameters.filter { parameter in
            !own.contains(String(parameter.prefix { $0 != "=" }))
        }.map { String($0).percentEncoded { "%=+:/,;!*'()@".utf8.contains($0) } }.joined(separator: "&")
    }

    /// Reads the items at a path; `nil` when the service answers 404.
    private func items(
        _ path: String, _ id: String, isPrivileged: Bool = false
    ) async throws(FlowServiceError) -> (items: [JSONDocument], listedAt: Timestamp)? {
        let response = try await get(path + id.formEncoded, isOptional: true, isPrivileged: isPrivileged)
        guard let (document, answer) = response else { return nil }
        guard let items = document.items else { throw .unreadable("\(path)\(id) is none of the documented shapes") }
        return (items, answer.serverTime ?? time.now())
    }

    /// Reads until an answer comes from the service itself, not from a cache: see ``FreshAnswers``.
    private func get(
        _ path: String, isOptional: Bool = false, isPrivileged: Bool = false, query: (Int) -> String? = { _ in nil }
    ) async throws(FlowServiceError) -> (JSONDocument, HTTPAnswer)? {
        try await freshAnswers.ask(path) { variant throws(FlowServiceError) in
            try await getOnce(path, query: query(variant), isOptional: isOptional, isPrivileged: isPrivileged)
        }
    }

    /// - Parameters:
    ///   - isOptional: whether a 404 is a valid answer (`nil`) rather than an error.
    ///   - isPrivileged: whether the read needs a permission that run requests do not need. For all other reads, a 403
    ///     means that the API key is wrong or has no permissions.
    private func getOnce(
        _ path: String, query: String?, isOptional: Bool, isPrivileged: Bool
    ) async throws(FlowServiceError) -> ((JSONDocument, HTTPAnswer)?, AnswerStamp) {
        var token = try await tokens.token()
        var answer = try await answer(path, query, token)
        if answer.status == 401, let fresh = try await tokens.replacement(of: token) {
            token = fresh
            answer = try await self.answer(path, query, token)
        }
        let redaction = Redaction(secrets + [token])
        switch answer.status {
        case 200..<300:
            if let flaw = answer.flaw { throw .malformed("\(path): \(flaw)") }
            let document = JSONDocument(answer.body)
            guard document.members != nil else { throw .malformed("\(path): the answer is not a JSON object") }
            return ((document, answer), answer.stamp)
        case 401: throw .unauthorized(answer.accessError(redaction))
        case 403 where !isPrivileged: throw .unauthorized(answer.accessError(redaction))
        case 404 where isOptional: return (nil, answer.stamp)
        case 408, 429, 500...: throw .unavailable("\(path): \(answer.unavailability(redaction, now: time.now()))")
        default: throw .refused(status: answer.status, answer.summary(redaction))
        }
    }

    private func answer(
        _ path: String, _ query: String?, _ token: String
    ) async throws(FlowServiceError) -> HTTPAnswer {
        var headers = authorized(by: token)
        headers.add(name: "Cache-Control", value: "no-cache")
        return try await sender.send(path) { [headers] () async throws(TransportError) in
            // A hundred times the size of a typical page of runs with all activities and errors.
            try await transport.send(.GET, path, query: query, headers: headers, answerLimit: 33_554_432)
        }
    }
}

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
