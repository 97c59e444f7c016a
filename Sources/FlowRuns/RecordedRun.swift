/// Where a recorded run stands. See the arrows in ``RunState/canBecome(_:)``.
package enum RunState: String, Hashable, Sendable, CaseIterable {
    /// Claimed and about to be sent; whoever finds it later does not know whether it was.
    case intended
    /// The service gave a run id.
    case accepted
    /// The service refused it; nothing was ingested.
    case rejected
    /// Sent, or perhaps sent, with the answer unknown.
    case inDoubt
    /// Was in doubt, and is surely absent from the service: the window may be claimed again.
    case released
    case succeeded
    /// Ended with failed records or errors beside its success.
    case partial
    case failed

    /// The same as `init(rawValue:)`, from the bytes of the word: a ledger may hold a million.
    package init?(utf8 word: UnsafeBufferPointer<UInt8>) {
        let state: RunState
        switch (word.count, word.first) {
        case (8, UInt8(ascii: "i")): state = .intended
        case (8, UInt8(ascii: "a")): state = .accepted
        case (8, UInt8(ascii: "r")): state = word[2] == UInt8(ascii: "j") ? .rejected : .released
        case (7, UInt8(ascii: "i")): state = .inDoubt
        case (9, _): state = .succeeded
        case (7, _): state = .partial
        case (6, _): state = .failed
        default: return nil
        }
        guard state.rawValue.hasBytes(word) else { return nil }
        self = state
    }

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

    /// The service took it, whatever became of it.
    package var isAccepted: Bool { [.accepted, .succeeded, .partial, .failed].contains(self) }

    /// Nobody knows yet whether the service took it.
    package var isDoubtful: Bool { self == .intended || self == .inDoubt }

    /// The service surely did not take it.
    package var isVoid: Bool { self == .rejected || self == .released }
}

extension String {
    fileprivate func hasBytes(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        var text = self
        return text.withUTF8 { $0.count == bytes.count && $0.elementsEqual(bytes) }
    }
}

/// Fixed beginnings of the reasons that the ledger keeps for requests, where planning depends on them.
package enum RunAnswerReason {
    /// A re-trigger was answered with the id of a run that is recorded already.
    package static let knownRun = "answered with a run that is recorded already: "
}

/// How a run came into the ledger.
package enum RunOrigin: String, Hashable, Sendable, CaseIterable {
    /// Claimed here and sent by Sluice.
    case request
    /// Found on the service; made by somebody else, or before this ledger.
    case service

    /// The same as `init(rawValue:)`, from the bytes of the word.
    package init?(utf8 word: UnsafeBufferPointer<UInt8>) {
        let origin: RunOrigin = word.first == UInt8(ascii: "r") ? .request : .service
        guard origin.rawValue.hasBytes(word) else { return nil }
        self = origin
    }
}

/// What makes one run request different from every other of its target: the database holds it unique, so inserting it
/// is claiming it.
package struct RunIdentity: Hashable, Sendable {
    /// What all attempts have in common.
    package let key: RunKey
    /// 1 for the first, counted up by each retry, and by each request after a rejected or released one.
    package let attempt: Int

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
}

/// A run that the ledger knows, as far as planning needs to know it.
package struct RecordedRun: Hashable, Sendable {
    package let identity: RunIdentity
    package var state: RunState
    package let origin: RunOrigin
    /// The service's id, once it is known.
    package var id: RunID?
    /// The delta column that the request carried.
    package let deltaColumn: DeltaColumn?
    /// When it was claimed, or created on the service if it was found there.
    package var recordedAt: Timestamp
    /// Why it was refused or failed, in the service's words.
    package var failure: String?
    /// Under which it was requested; `nil` for a run found on the service, and for one that an older Sluice requested.
    package var claim: RunClaim?
    /// How many records it brought, as far as the service tells.
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

    /// The same run, whose window has become known.
    package func identified(as identity: RunIdentity) -> RecordedRun {
        RecordedRun(
            identity: identity, state: state, origin: origin, id: id, deltaColumn: deltaColumn, recordedAt: recordedAt,
            failure: failure, claim: claim, records: records)
    }

    package var flow: FlowID { identity.flow }
    package var window: Window? { identity.window }

    /// Succeeded without a record: the service runs it again when it is asked to.
    package var isEmpty: Bool { state == .succeeded && records == 0 }
}

/// What the ledger knows of a flow besides its runs.
package struct FlowRecord: Hashable, Sendable {
    package let id: FlowID
    package var revision: Revision
    /// When the flow's runs were last compared with the service, by this machine's clock; `nil` before first contact.
    package var contactedAt: Timestamp?
    /// The column in the flow's own `Copy` transformation, the source of truth.
    package var deltaColumn: DeltaColumn?
    /// The service's time when it began to list all runs for the last full comparison.
    package var comparedAt: Timestamp?
    /// When the newest run was made that a listing has shown. Runs made up to `settle` before it may be listed later.
    package var newestRunAt: Timestamp?
    /// The ledger was restored or imported: what was requested since must be listed before it is compared.
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
