import FlowRuns

/// Questions: they change nothing, so they are repeated when a fault may pass.
extension HTTPFlowService {
    /// A page of a hundred, or of as many as the service gives.
    package func runs(
        of flow: FlowID, order: RunOrder, after next: String?
    ) async throws(FlowServiceError) -> Page<ObservedRun> {
        let ordered = order == .newestFirst ? [("orderby", "-createdAt")] : []
        let page = try await page(of: "/runs", filters: [("property", "flowId==\(flow)")] + ordered, after: next)
        var runs: [ObservedRun] = []
        for item in page.items {
            let document = RunDocument(document: item)
            guard document.flow == nil || document.flow == flow else { continue }
            guard let run = document.observed else { throw .unreadable("a run of flow \(flow) has no id") }
            runs.append(run)
        }
        return Page(items: runs, next: page.next)
    }

    /// `nil` on 404, and when the list that comes back is empty.
    package func run(_ run: RunID) async throws(FlowServiceError) -> ObservedRun? {
        guard let items = try await item("/runs/", run.description), !items.isEmpty else { return nil }
        guard
            let observed = items.lazy.compactMap({ RunDocument(document: $0).observed }).first(where: { $0.id == run })
        else { throw .unreadable("asked for run \(run), it answered with another") }
        return observed
    }

    /// `nil` on 404, and when the list that comes back is empty.
    package func flow(_ flow: FlowID) async throws(FlowServiceError) -> ServiceFlow? {
        guard let items = try await item("/flows/", flow.description), !items.isEmpty else { return nil }
        guard let found = items.lazy.compactMap({ FlowDocument(document: $0).flow }).first(where: { $0.id == flow })
        else { throw .unreadable("asked for flow \(flow), it answered with another") }
        return found
    }

    /// A page of a hundred, or of as many as the service gives.
    package func flows(after next: String?) async throws(FlowServiceError) -> Page<ServiceFlow> {
        let page = try await page(of: "/flows", filters: [], after: next)
        var flows: [ServiceFlow] = []
        for item in page.items {
            guard let flow = FlowDocument(document: item).flow else { throw .unreadable("a flow's id is not a UUID") }
            flows.append(flow)
        }
        return Page(items: flows, next: page.next)
    }

    /// `nil` on 404, and when the specification has no `runSpec`.
    package func runSpecification(_ specification: String) async throws(FlowServiceError) -> RunSpecification? {
        try await item("/flowSpecs/", specification)?.first.flatMap { RunSpecification($0) }
    }

    /// The next page's address may hold nothing but a token, so the filters are sent with it again, and of the address
    /// only what is not among them is taken.
    private func page(
        of path: String, filters: [(String, String)], after next: String?
    ) async throws(FlowServiceError) -> Page<JSONDocument> {
        let own = filters + [("limit", String(options.pageLimit))]
        let ownQuery = own.map { "\($0)=\($1.percentEncoded { $0 == UInt8(ascii: "=") })" }.joined(separator: "&")
        let query = next.flatMap { $0.isEmpty ? nil : "\(ownQuery)&\($0)" } ?? ownQuery
        guard let page = try await get(path, query: query), let items = page["items"].elements else {
            throw .unreadable("a page of \(path) has no items")
        }
        let link = page["_links"]["next"]["href"].text ?? page["_links"]["next"].text ?? ""
        return Page(items: items, next: link.isEmpty ? nil : Self.continuation(link, without: own.map(\.0)))
    }

    /// The parameters of a next page's address, but for those that are sent anyway. They stay encoded as the service
    /// wrote them, where that can stand in an address.
    static func continuation(_ link: String, without own: [String]) -> String {
        guard let mark = link.firstIndex(of: "?") else { return "" }
        let parameters = link[link.index(after: mark)...].prefix { $0 != "#" }.split(separator: "&")
        return parameters.filter { parameter in
            !own.contains(String(parameter.prefix { $0 != "=" }))
        }.map { String($0).percentEncoded { "%=+:/,;!*'()@".utf8.contains($0) } }.joined(separator: "&")
    }

    /// `nil` when the service does not know it.
    private func item(_ path: String, _ id: String) async throws(FlowServiceError) -> [JSONDocument]? {
        guard let document = try await get(path + id.formEncoded, query: nil, isOptional: true) else { return nil }
        guard let items = document.items else { throw .unreadable("\(path)\(id) is none of the documented shapes") }
        return items
    }

    /// - Parameter isOptional: whether 404 is an answer (`nil`) and not a refusal.
    private func get(
        _ path: String, query: String?, isOptional: Bool = false
    ) async throws(FlowServiceError) -> JSONDocument? {
        var token = try await tokens.token()
        var answer = try await answer(path, query, token)
        if answer.status == 401, let fresh = try await tokens.replacement(of: token) {
            token = fresh
            answer = try await self.answer(path, query, token)
        }
        var summary: String { answer.summary(Redaction(secrets + [token])) }
        switch answer.status {
        case 200..<300:
            if let cut = answer.cut { throw .unreadable("\(path): the answer is not whole: \(cut)") }
            let document = JSONDocument(answer.body)
            guard document.members != nil else { throw .unreadable("\(path): the answer is not a JSON object") }
            return document
        case 401: throw .unauthorized(summary)
        case 404 where isOptional: return nil
        case 408, 429, 500...: throw .unavailable("\(path) answered \(summary)")
        default: throw .refused(status: answer.status, summary)
        }
    }

    private func answer(
        _ path: String, _ query: String?, _ token: String
    ) async throws(FlowServiceError) -> HTTPAnswer {
        do throws(TransportFault) {
            return try await options.repetition.repeating(transport, now: now) {
                // A page of runs with all their activities and errors; a hundred times what one takes.
                ServiceRequest(
                    method: .get, path: path, query: query, headers: authorized(by: token), answerLimit: 33_554_432)
            }
        } catch {
            throw .unavailable("\(path): \(error.reason)")
        }
    }
}
