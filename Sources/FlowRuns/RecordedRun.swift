/// The state of a recorded run. ``RunState/canBecome(_:)`` defines the transitions.
package enum RunState: String, Hashable, Sendable, CaseIterable {
    /// Claimed and about to be sent. If the process dies, it is unknown whether the request was sent.
    case intended
    /// Accepted by the service, which assigned a run ID.
    case accepted
    /// Refused by the service; nothing was ingested.
    case rejected
    /// Sent, or possibly sent, with the answer unknown.
    case inDoubt
    /// Formerly in doubt, and proven absent from the service: the window can be claimed again.
    case released
    case succeeded
    /// Ended as a success, but with failed records or errors.
    case partial
    case failed

    /// Whether a run may move from this state to `next`. A run that has ended may only get another end: the service may
    /// report `success` first, and failed records or errors later.
    package func canBecome(_ next: RunState) -> Bool {
        switch self {
        case .intended: [.accepted, .rejected, .inDoubt, .released].contains(next)
        case .inDoubt: [.accepted, .released].contains(next)
        case .accepted: next.hasEnded
        case .succeeded, .partial, .failed: next.hasEnded && next != self
        case .rejected, .released: false
        }
    }

    /// Whether the service has reported how the run ended.
    package var hasEnded: Bool { [.succeeded, .partial, .failed].contains(self) }

    /// Whether the service accepted the request, even if the run failed later.
    package var isAccepted: Bool { [.accepted, .succeeded, .partial, .failed].contains(self) }

    /// Whether it is unknown if the service accepted the request.
    package var isDoubtful: Bool { self == .intended || self == .inDoubt }

    /// Whether the service is known not to have accepted the request.
    package var isVoid: Bool { self == .rejected || self == .released }
}

/// Fixed beginnings of the reasons that the ledger keeps for requests, where planning depends on them.
package enum RunAnswerReason {
    /// A re-trigger was answered with the id of a run that is recorded already.
    package static let knownRun = "answered with a run that is recorded already: "
}

/// How a run came into the ledger.
package enum RunOrigin: String, Hashable, Sendable, CaseIterable {
    /// Claimed in this ledger and sent by Sluice.
    case request
    /// Found on the service: requested by another client, or before this ledger existed.
    case service
}

/// The identity of a run request within its target. Stores keep identities unique, so inserting one is the claim.
package struct RunIdentity: Hashable, Comparable, Sendable {
    /// The key that all attempts share.
    package var key: RunKey
    /// The attempt number, starting at 1. Each retry increments it, and so does each request after a refused or
    /// released one.
    package var attempt: Int

    package init(flow: FlowID, window: Window?, rerun: String? = nil, attempt: Int = 1) {
        self.init(RunKey(flow: flow, window: window, rerun: rerun), attempt: attempt)
    }

    package init(_ key: RunKey, attempt: Int) {
        self.key = key
        self.attempt = attempt
    }

    package var flow: FlowID { key.flow }
    package var window: Window? { key.window }
    package var rerun: String? { key.rerun }

    /// The order of every listing and export: by key, then by attempt.
    package static func < (one: RunIdentity, other: RunIdentity) -> Bool {
        one.key == other.key ? one.attempt < other.attempt : one.key < other.key
    }
}

/// A run in the ledger, with the fields that planning needs.
package struct RecordedRun: Hashable, Sendable {
    package var identity: RunIdentity
    package var state: RunState
    package var origin: RunOrigin
    /// The service's run ID, once known.
    package var id: RunID?
    /// The delta column that the request carried.
    package var deltaColumn: DeltaColumn?
    /// The time of the claim or, for a run found on the service, of its creation.
    package var recordedAt: Timestamp
    /// The reason for the refusal or failure, in the service's words.
    package var failure: String?
    /// The claim under which the run was requested; `nil` for a run found on the service, and for one that an older
    /// version of Sluice requested.
    package var claim: RunClaim?
    /// The number of records, as far as the service reports it.
    package var records: Int64?

    package init(
        identity: RunIdentity, state: RunState, origin: RunOrigin = .request, id: RunID? = nil,
        deltaColumn: DeltaColumn? = nil, recordedAt: Timestamp, failure: String? = nil, claim: RunClaim? = nil,
        records: Int64? = nil
    ) {
        self.identity = identity
        self.state = state
        self.origin = origin
        self.id = id
        self.deltaColumn = deltaColumn
        self.recordedAt = recordedAt
        self.failure = failure
        self.claim = claim
        self.records = records
    }

    /// Returns the same run with another identity, for a run whose window has become known.
    package func identified(as identity: RunIdentity) -> RecordedRun {
        RecordedRun(
            identity: identity, state: state, origin: origin, id: id, deltaColumn: deltaColumn, recordedAt: recordedAt,
            failure: failure, claim: claim, records: records)
    }

    package var flow: FlowID { identity.flow }
    package var window: Window? { identity.window }

    /// Whether the run succeeded without records. The service re-runs such a run on request.
    package var isEmpty: Bool { state == .succeeded && records == 0 }

    /// Whether the run is a re-trigger that was answered with the ID of a recorded run. The service may have run that one
    /// again, or started another.
    package var isAnsweredWithKnownRun: Bool {
        state == .rejected && failure?.hasPrefix(RunAnswerReason.knownRun) ?? false
    }
}

/// The ledger's record of a flow, apart from its runs.
package struct FlowRecord: Hashable, Sendable {
    package let id: FlowID
    package var revision: Revision
    /// The time of the last comparison with the service, by the clock of the machine that made it; `nil` before first
    /// contact.
    package var contactedAt: Timestamp?
    /// The column in the flow's own `Copy` transformation, which is the source of truth.
    package var deltaColumn: DeltaColumn?
    /// The service's time at the start of the listing for the last full comparison.
    package var comparedAt: Timestamp?
    /// The creation time of the newest run in any listing. Runs created up to `settle` earlier may be listed later.
    package var newestRunAt: Timestamp?
    /// Whether the ledger was restored or imported. The flow then needs a full comparison, after a wait for recent runs
    /// to be listed.
    package var needsRecheck: Bool

    package init(
        id: FlowID, revision: Revision = Revision(), contactedAt: Timestamp? = nil, deltaColumn: DeltaColumn? = nil,
        comparedAt: Timestamp? = nil, newestRunAt: Timestamp? = nil, needsRecheck: Bool = false
    ) {
        self.id = id
        self.revision = revision
        self.contactedAt = contactedAt
        self.deltaColumn = deltaColumn
        self.comparedAt = comparedAt
        self.newestRunAt = newestRunAt
        self.needsRecheck = needsRecheck
    }
}
