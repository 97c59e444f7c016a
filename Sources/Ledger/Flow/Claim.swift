import FlowRuns

/// A request that is about to be sent, as the ledger keeps it before it leaves.
package struct Claim: Hashable, Sendable {
    package let identity: RunIdentity
    package let deltaColumn: DeltaColumn?
    /// The exact request: `POST /runs` and its body, or the address of the re-trigger.
    package let request: String
    /// Whose it is, and the service's time when it was made.
    package let claim: RunClaim
    /// The time of the claim by this machine's clock. It is shown, and no decision depends on it.
    package let claimedAt: Timestamp
    package let provenance: Provenance
    /// Whether the manifest asks for a retry of a run that ended with failed records, or without any.
    package let isRetry: Bool

    package init(
        identity: RunIdentity, deltaColumn: DeltaColumn?, request: String, claim: RunClaim, claimedAt: Timestamp,
        provenance: Provenance, isRetry: Bool = false
    ) {
        self.identity = identity
        self.deltaColumn = deltaColumn
        self.request = request
        self.claim = claim
        self.claimedAt = claimedAt
        self.provenance = provenance
        self.isRetry = isRetry
    }
}

extension FlowLedger {
    /// Claims a request: adds its `intended` row. The flow's other requests may be claimed along with it only under the
    /// same claim.
    ///
    /// - Throws: ``LedgerError/notClaimable(_:_:)`` when another claim is open, when the window and rerun have a request
    ///   that is under way or has brought records, a retry of those with failed records aside, or when no request can
    ///   have the identity.
    package mutating func claim(_ claim: Claim) throws(LedgerError) {
        let identity = claim.identity
        guard identity.window != nil, identity.attempt >= 1, identity.rerun != "" else {
            throw .notClaimable(identity, "no request can have this identity")
        }
        if let open = openRequests.first(where: { $0.claim?.id != claim.claim.id }) {
            throw .notClaimable(identity, "the claim of \(open.identity.inWords) is open")
        }
        let standing = runs.attempts(at: identity.key).first {
            $0.isActiveRequest || $0.identity == identity || !claim.isRetry && $0.isIncompleteRequest
        }
        if let living = standing {
            throw .notClaimable(identity, "it is \(living.state.rawValue) already")
        }
        insert(
            LedgerEntry(
                run: RecordedRun(
                    identity: identity, state: .intended, deltaColumn: claim.deltaColumn, recordedAt: claim.claimedAt,
                    claim: claim.claim),
                request: claim.request, updatedAt: claim.claimedAt, provenance: claim.provenance))
    }

    /// Records what became of a claimed request. Another process may have settled the claim meanwhile, or the ledger may
    /// have been replaced; then the run is added unless it is recorded already.
    ///
    /// - Throws: ``LedgerError/runIDTaken(_:by:)`` when the run is recorded as another run: see ``runAnswered(_:to:)``.
    package mutating func record(_ outcome: RequestOutcome, of claim: Claim, at now: Timestamp) throws(LedgerError) {
        let row = run(claim.identity).flatMap { $0.claim?.id == claim.claim.id ? $0 : nil }
        if let row, row.state.isDoubtful {
            guard row.state.canBecome(outcome.state) else { return }
            if case .accepted(let id, _) = outcome {
                switch runAnswered(id, to: claim) {
                case .new: break
                case .sighting(let sighting): remove(sighting)
                case .other(let known): throw .runIDTaken(id, by: known)
                }
            }
            try update(claim.identity, .outcome(outcome), at: now)
        } else if case .accepted(let id, _) = outcome, run(id) == nil {
            insert(
                LedgerEntry(
                    run: RecordedRun(
                        identity: nextIdentity(window: claim.identity.window), state: .accepted, origin: .service,
                        id: id, recordedAt: claim.claimedAt),
                    updatedAt: now))
        }
    }

    /// What the id in an answer to a claimed request refers to.
    package enum AnsweredRun: Hashable, Sendable {
        /// A run that is not recorded.
        case new
        /// The request's own run, which a refresh recorded as found on the service before the answer arrived.
        case sighting(RunIdentity)
        /// A run that was there before the request, or a run of another window.
        case other(RunIdentity)
    }

    /// Looks up the run with which the service answered a claimed request.
    package func runAnswered(_ id: RunID, to claim: Claim) -> AnsweredRun {
        guard let known = run(id) else { return .new }
        guard known.origin == .service, known.window == nil || known.window == claim.identity.window else {
            return .other(known.identity)
        }
        let isOlder = claim.claim.time.map { known.recordedAt < $0.earliest - .seconds(5) } ?? (known.window != nil)
        return isOlder ? .other(known.identity) : .sighting(known.identity)
    }
}
