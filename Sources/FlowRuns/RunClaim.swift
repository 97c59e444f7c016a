/// A revision of a flow's record. The number is for people and saved plans; the token of the commit distinguishes two
/// ledgers with equal numbers.
package struct Revision: Hashable, Sendable {
    /// The number of changes that affect planning; 0 for a flow that is not in the ledger.
    package var number: Int
    /// The nonce of the last commit; empty before the first commit, and after one by a version of Sluice without
    /// tokens.
    package var token: String

    package init(number: Int = 0, token: String = "") {
        self.number = number
        self.token = token
    }
}

/// The random ID of a claim. Swift stores IDs of up to 15 bytes inline, without a heap allocation per row.
package struct ClaimID: Hashable, Sendable, LosslessStringConvertible {
    package let description: String

    /// Creates an ID; returns `nil` if `text` is empty.
    package init?(_ text: String) {
        guard !text.isEmpty else { return nil }
        description = text
    }

    /// Creates a new ID from 64 random bits.
    package init(random bits: UInt64) { description = "c" + String(bits, radix: 36) }
}

/// The claim under which a request was made. Until the request has an answer, the claim locks the flow.
package struct RunClaim: Hashable, Sendable {
    package let id: ClaimID
    /// The process that made the claim: host and process ID, or the CI job.
    package var owner: String
    /// The service's time when the claim was made; `nil` if the service reports none.
    package var time: ServiceTime?

    package init(id: ClaimID, owner: String, time: ServiceTime?) {
        self.id = id
        self.owner = owner
        self.time = time
    }
}

/// Bounds on the service's time at one moment, derived from its `Date` header and the round trip.
package struct ServiceTime: Hashable, Sendable {
    package let earliest: Timestamp
    package var latest: Timestamp

    package init(earliest: Timestamp, latest: Timestamp) {
        self.earliest = earliest
        self.latest = latest
    }
}
