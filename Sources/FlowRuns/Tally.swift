/// Counts by kind. The kind is an enum, which owns the titles and the JSON names of its counts.
package struct Tally<Kind: Hashable & Sendable>: Hashable, Sendable, ExpressibleByDictionaryLiteral {
    private var counts: [Kind: Int] = [:]

    /// Creates counts of zero.
    package init() {}

    package init(dictionaryLiteral counts: (Kind, Int)...) {
        for (kind, count) in counts { self[kind] = count }
    }

    package subscript(kind: Kind) -> Int {
        get { counts[kind, default: 0] }
        // A count of zero is absent, so that equal tallies compare equal.
        set { counts[kind] = newValue == 0 ? nil : newValue }
    }

    package var total: Int { counts.values.reduce(0, +) }

    package func sum(_ kinds: Kind...) -> Int { kinds.reduce(0) { $0 + self[$1] } }

    package static func + (left: Tally, right: Tally) -> Tally {
        right.counts.reduce(into: left) { $0[$1.key] += $1.value }
    }
}
