import Foundation

/// What a JSON value must be for the facts to hold. Written as literals, so that a table of them reads like the facts.
indirect enum Shape: Sendable {
    /// That is not empty.
    case string
    case digits
    case prefixed(String)
    case oneOf([String])
    case uuid
    case url
    /// A string that holds its own quotes.
    case etag
    /// `"1651584991"`: Unix seconds as a string.
    case secondsText
    case integer
    /// `1651584991`: below 10^11, the year 5138.
    case seconds
    /// `1651584991000`: from 10^12, September 2001.
    case milliseconds
    case boolean
    /// Exactly these members, in any order.
    case object(required: Members, optional: Members = [:])
    /// These members, and whatever else.
    case open(required: Members)
    /// An object whose members, as far as they are there, come in the order in which it is written.
    case inOrder(Shape)
    case array(of: Shape, counting: ClosedRange<Int> = 0...Int.max)
    case anyOf([Shape])
    /// Which shape it has is told by the text of the member of this name.
    case byMember(String, [String: Shape], otherwise: Shape)
    case anything
}

/// The members of an object and what each must be, in the order in which they are written.
struct Members: ExpressibleByDictionaryLiteral, Sendable {
    let all: [(name: String, shape: Shape)]

    init(dictionaryLiteral elements: (String, Shape)...) { all = elements.map { (name: $0.0, shape: $0.1) } }

    private init(_ all: [(name: String, shape: Shape)]) { self.all = all }

    func and(_ more: Members) -> Members { Members(all + more.all) }

    subscript(name: String) -> Shape? { all.first { $0.name == name }?.shape }
}

/// Where a fact does not hold, and how.
struct Mismatch: Hashable, Sendable, CustomStringConvertible {
    let path: String
    let what: String

    var description: String { "\(path) \(what)" }
}

/// Where a value stands.
struct Place: Sendable {
    /// `answer.items[2].id`.
    let path: String
    /// The same for each element of an array: `answer.items[].id`.
    let fact: String

    init(_ root: String) { self.init(path: root, fact: root) }

    private init(path: String, fact: String) { (self.path, self.fact) = (path, fact) }

    func member(_ name: String) -> Place { Place(path: "\(path).\(name)", fact: "\(fact).\(name)") }
    func element(_ index: Int) -> Place { Place(path: "\(path)[\(index)]", fact: "\(fact)[]") }
}

/// What came of holding values against their shapes.
struct Findings: Sendable {
    var mismatches: [Mismatch] = []
    /// The facts that a value was there for.
    var met: Set<String> = []

    mutating func miss(_ place: Place, _ what: String) { mismatches.append(Mismatch(path: place.path, what: what)) }

    mutating func add(_ more: Findings) {
        mismatches += more.mismatches
        met.formUnion(more.met)
    }
}

extension Shape {
    /// Finds everything that is otherwise, not only the first.
    func check(_ value: WireJSON, at place: Place, into findings: inout Findings) {
        switch self {
        case .object(let required, let optional):
            check(value, required, optional, isOpen: false, at: place, into: &findings)
        case .open(let required):
            check(value, required, [:], isOpen: true, at: place, into: &findings)
        case .inOrder(let shape):
            shape.check(value, at: place, into: &findings)
            shape.checkOrder(value, at: place, into: &findings)
        case .array(let shape, let counting):
            guard case .array(let elements) = value else { return findings.miss(place, "is \(value.words), no array") }
            if !counting.contains(elements.count) { findings.miss(place, "has \(elements.count) elements") }
            for (index, element) in elements.enumerated() {
                shape.check(element, at: place.element(index), into: &findings)
            }
        case .anyOf(let shapes):
            findings.add(Self.nearest(shapes, to: value, at: place))
        case .byMember(let name, let shapes, let otherwise):
            let tag = value[name]?.string ?? ""
            (shapes[tag] ?? otherwise).check(value, at: place, into: &findings)
        default:
            if !accepts(value) { findings.miss(place, "is \(value.words), not \(words)") }
        }
    }

    /// What of the alternatives has the fewest mismatches finds: the others would only tell what it is not.
    private static func nearest(_ shapes: [Shape], to value: WireJSON, at place: Place) -> Findings {
        var nearest: Findings?
        for shape in shapes {
            var findings = Findings()
            shape.check(value, at: place, into: &findings)
            if let best = nearest, best.mismatches.count <= findings.mismatches.count { continue }
            nearest = findings
        }
        return nearest ?? Findings()
    }

    private func check(
        _ value: WireJSON, _ required: Members, _ optional: Members, isOpen: Bool, at place: Place,
        into findings: inout Findings
    ) {
        guard case .object(let members) = value else { return findings.miss(place, "is \(value.words), no object") }
        var seen: Set<String> = []
        for member in members {
            let inner = place.member(member.name)
            if !seen.insert(member.name).inserted {
                findings.miss(inner, "comes twice")
            } else if let shape = required[member.name] ?? optional[member.name] {
                findings.met.insert(inner.fact)
                shape.check(member.value, at: inner, into: &findings)
            } else if !isOpen {
                findings.miss(inner, "is not known to the facts")
            }
        }
        for member in required.all where !seen.contains(member.name) {
            findings.miss(place.member(member.name), "is missing")
        }
    }

    private func checkOrder(_ value: WireJSON, at place: Place, into findings: inout Findings) {
        guard case .object(let required, let optional) = self, case .object(let members) = value else { return }
        let order = required.and(optional).all.map(\.name)
        let came = members.map(\.name).filter { order.contains($0) }
        let wanted = order.filter { came.contains($0) }
        if came.count == wanted.count, came != wanted {
            findings.miss(place, "has its members in the order \(came), not \(wanted)")
        }
    }
}

// MARK: - Single values

extension Shape {
    private func accepts(_ value: WireJSON) -> Bool {
        switch (self, value) {
        case (.anything, _), (.boolean, .boolean): true
        case (.string, .string(let text)): !text.isEmpty
        case (.digits, .string(let text)): text.isDigits
        case (.prefixed(let prefix), .string(let text)): text.hasPrefix(prefix) && text != prefix
        case (.oneOf(let texts), .string(let text)): texts.contains(text)
        case (.uuid, .string(let text)): UUID(uuidString: text) != nil
        case (.url, .string(let text)): text.hasPrefix("https://") || text.hasPrefix("http://")
        case (.etag, .string(let text)): text.hasPrefix("\"") && text.hasSuffix("\"") && text.count > 2
        case (.secondsText, .string(let text)): text.isDigits && (9...11).contains(text.count)
        case (.integer, .number): value.integer != nil
        case (.seconds, .number): value.integer.map { (0..<100_000_000_000).contains($0) } ?? false
        case (.milliseconds, .number): value.integer.map { $0 >= 1_000_000_000_000 } ?? false
        default: false
        }
    }

    private var words: String {
        switch self {
        case .prefixed(let prefix): "a string that begins with '\(prefix)'"
        case .oneOf(let texts): "one of \(texts)"
        case .secondsText: "Unix seconds as a string"
        case .seconds: "Unix seconds as an integer"
        case .milliseconds: "Unix milliseconds as an integer"
        default: "\(self)"
        }
    }
}

extension String {
    fileprivate var isDigits: Bool { !isEmpty && utf8.allSatisfy { (0x30...0x39).contains($0) } }
}

// MARK: - All that a shape asks for

extension Shape {
    /// The facts that it holds: each member that it knows, wherever it may stand.
    func facts(at place: Place) -> Set<String> {
        switch self {
        case .object(let required, let optional): Self.facts(of: required.and(optional), at: place)
        case .open(let required): Self.facts(of: required, at: place)
        case .inOrder(let shape): shape.facts(at: place)
        case .array(let shape, _): shape.facts(at: place.element(0))
        case .anyOf(let shapes): shapes.reduce(into: []) { $0.formUnion($1.facts(at: place)) }
        case .byMember(_, let shapes, let otherwise):
            shapes.values.reduce(into: otherwise.facts(at: place)) { $0.formUnion($1.facts(at: place)) }
        default: []
        }
    }

    private static func facts(of members: Members, at place: Place) -> Set<String> {
        var facts: Set<String> = []
        for member in members.all {
            let inner = place.member(member.name)
            facts.insert(inner.fact)
            facts.formUnion(member.shape.facts(at: inner))
        }
        return facts
    }
}
