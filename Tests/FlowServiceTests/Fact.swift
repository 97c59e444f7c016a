/// What the facts say of one endpoint: a row of the table ``Facts``.
struct Fact: Sendable {
    enum Body: Sendable {
        case none
        case json(Shape)
        case jsonOrNone(Shape)
        case form(Shape)
    }

    /// What binds an answer to its request; `nil` when it holds, else what does not.
    typealias Relation = @Sendable (_ exchange: Exchange, _ answer: WireJSON) -> String?

    let method: String
    /// All the ways to write it. `{id}` stands for one part, whatever it is.
    let paths: [String]
    let headers: Shape
    var query: Shape = .object(required: [:])
    var body: Body = .none
    let success: Int
    let answer: Shape
    var relation: Relation = { _, _ in nil }

    /// `POST /runs`.
    var name: String { "\(method) \(shortened(paths[0]))" }

    /// Everything that it says; what ``findings(in:)`` met is of these.
    var facts: Set<String> {
        var facts = headers.facts(at: Place("headers")).union(query.facts(at: Place("query")))
        switch body {
        case .none: break
        case .json(let shape), .jsonOrNone(let shape), .form(let shape): facts.formUnion(shape.facts(at: Place("body")))
        }
        facts.formUnion(answer.facts(at: Place("answer")))
        return Set(facts.map { "\(name) \($0)" } + paths.map { "\(method) \(shortened($0))" })
    }

    /// The way in which the exchange writes it; `nil` when it is another endpoint's.
    func path(of exchange: Exchange) -> String? {
        guard exchange.method == method else { return nil }
        let parts = exchange.path.split(separator: "/", omittingEmptySubsequences: false).map { String($0) }
        return paths.first { path in
            let wanted = path.split(separator: "/", omittingEmptySubsequences: false).map { String($0) }
            return wanted.count == parts.count
                && zip(wanted, parts).allSatisfy { $0 == $1 || ($0 == "{id}" && !$1.isEmpty) }
        }
    }

    private func shortened(_ path: String) -> String {
        path.hasPrefix(Facts.base) ? String(path.dropFirst(Facts.base.count)) : path
    }
}

// MARK: - Holding an exchange against it

extension Fact {
    func findings(in exchange: Exchange) -> Findings {
        var findings = Findings()
        let fields = exchange.headers.sorted { $0.key < $1.key }.map { (name: $0.key, value: $0.value) }
        headers.check(WireJSON(texts: fields), at: Place("headers"), into: &findings)
        if exchange.body.isEmpty == (exchange.headers["content-type"] != nil) {
            findings.miss(Place("headers.content-type"), "belongs to a body, and only to one")
        }
        query.check(WireJSON(texts: exchange.query), at: Place("query"), into: &findings)
        checkBody(of: exchange, into: &findings)
        checkAnswer(of: exchange, into: &findings)
        findings.met = Set(findings.met.map { "\(name) \($0)" })
        if let path = path(of: exchange) { findings.met.insert("\(method) \(shortened(path))") }
        return findings
    }

    private func checkBody(of exchange: Exchange, into findings: inout Findings) {
        let place = Place("body")
        switch body {
        case .none:
            if !exchange.body.isEmpty { findings.miss(place, "is there, and the facts know none") }
        case .form(let shape):
            let form = Exchange.pairs(exchange.body.replacing("+", with: "%20"))
            shape.check(WireJSON(texts: form), at: place, into: &findings)
        case .jsonOrNone(let shape):
            if !exchange.body.isEmpty { check(exchange.body, shape, at: place, into: &findings) }
        case .json(let shape):
            check(exchange.body, shape, at: place, into: &findings)
        }
    }

    private func checkAnswer(of exchange: Exchange, into findings: inout Findings) {
        for name in exchange.answerHeaders.keys.sorted() {
            let isThrottling = [429, 503].contains(exchange.status)
            guard !Facts.answerHeaders.contains(name), !(name == "retry-after" && isThrottling) else { continue }
            findings.miss(Place("answerHeaders").member(name), "is not known to the facts")
        }
        guard exchange.status == success else {
            if !Facts.errors.contains(exchange.status) {
                findings.miss(Place("status"), "is \(exchange.status), neither \(success) nor an error of the facts")
            }
            return
        }
        let place = Place("answer")
        guard let json = check(exchange.answer, answer, at: place, into: &findings) else { return }
        if let broken = relation(exchange, json) { findings.miss(place, broken) }
    }

    @discardableResult
    private func check(
        _ text: String, _ shape: Shape, at place: Place, into findings: inout Findings
    ) -> WireJSON? {
        guard let json = try? WireJSON(text) else {
            findings.miss(place, "is no JSON: \(text.prefix(200))")
            return nil
        }
        shape.check(json, at: place, into: &findings)
        return json
    }
}

extension WireJSON {
    /// An object of strings: the headers, query or form of a request, to be held against a shape like a body.
    fileprivate init(texts: [(name: String, value: String)]) {
        self = .object(texts.map { Member(name: $0.name, value: .string($0.value)) })
    }
}

extension Facts {
    /// The row that an exchange belongs to.
    static func row(for exchange: Exchange) -> Fact? { all.first { $0.path(of: exchange) != nil } }

    /// All that an exchange has otherwise than the facts have it.
    static func mismatches(in exchange: Exchange) -> [Mismatch] {
        guard let row = row(for: exchange) else {
            return [Mismatch(path: "path", what: "is none of the facts: \(exchange.method) \(exchange.path)")]
        }
        return row.findings(in: exchange).mismatches
    }
}
