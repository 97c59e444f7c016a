/// A revision of a flow's record: a number, for people and saved plans, and the token of the commit that made it, by
/// which two ledgers of the same number are told apart.
package struct Revision: Hashable, Sendable {
    /// Counts the changes that planning reads; 0 for a flow that the ledger does not know.
    package let number: Int
    /// The nonce of the last commit; empty where none was made yet, or by a Sluice that knew no tokens.
    package let token: String

    package init(number: Int = 0, token: String = "") {
        self.number = number
        self.token = token
    }
}

/// The id of a claim: random, up to 15 bytes, so that it costs a row no memory of its own.
package struct ClaimID: Hashable, Sendable, CustomStringConvertible {
    package let description: String

    /// `nil` when `text` is empty.
    package init?(_ text: String) {
        guard !text.isEmpty else { return nil }
        description = text
    }

    /// A new one from 64 random bits.
    package init(random bits: UInt64) { description = "c" + String(bits, radix: 36) }
}

/// The claim under which a request was made. While the request has no answer, it is the flow's lock.
package struct RunClaim: Hashable, Sendable {
    package let id: ClaimID
    /// Which process made it: host and process id, or the CI job.
    package let owner: String
    /// The service's time when it was made; `nil` where the service tells none.
    package let time: ServiceTime?

    package init(id: ClaimID, owner: String, time: ServiceTime?) {
        self.id = id
        self.owner = owner
        self.time = time
    }
}

/// The service's time at one moment, as far as its `Date` header and the round trip tell it.
package struct ServiceTime: Hashable, Sendable {
    package let earliest: Timestamp
    package let latest: Timestamp

    package init(earliest: Timestamp, latest: Timestamp) {
        self.earliest = earliest
        self.latest = latest
    }
}
