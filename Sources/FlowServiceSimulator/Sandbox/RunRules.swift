import FlowRuns

extension SimulatedSandbox {
    /// What `POST /runs` makes: the run, if the service's rules allow it. Nothing is recorded yet.
    func newRun(_ body: JSONValue, at now: Timestamp) throws(ServiceError) -> SimulatedRun {
        guard body.object != nil else { throw .notJSON }
        guard let id = body["flowId"] else { throw .missing("flowId") }
        guard let id = id.string else { throw .wrongType("flowId", "a string") }
        let flow = try flow(id)
        guard flow.state == "enabled" else { throw .disabled(flow) }
        guard flow.isOneTime else { throw .notOneTime(flow) }
        let parameters = try RunParameters(body["params"])
        try check(parameters, against: flow.specification.times)
        try checkDeltaColumn(parameters.deltaColumn, of: flow)
        return nextRun(of: flow.id, parameters, origin: .request, at: now)
    }

    /// What a re-trigger of a run makes.
    ///
    /// - Parameter etag: `If-Match`, where it was sent.
    func retriggeredRun(_ id: String, etag: String?, at now: Timestamp) throws(ServiceError) -> SimulatedRun {
        let run = try run(id)
        let stage = run.stage(at: now, pace: configuration.pace)
        if let etag, etag != "*", etag != run.etag(at: stage) { throw .changed(id) }
        guard case .ended = stage, run.outcome.mayBeTriggeredAgain else {
            throw .notRetriable(id, status: run.status(at: stage))
        }
        return nextRun(of: run.flow, run.parameters, origin: .retrigger, at: now)
    }

    /// A run that was there before the simulation began.
    func foreignRun(_ run: ForeignRun) -> SimulatedRun {
        let parameters = run.window.flatMap { window -> RunParameters? in
            guard let start = WireTime(String(window.start.seconds)), let end = WireTime(String(window.end.seconds))
            else { return nil }
            return RunParameters(windowStart: start, windowEnd: end, deltaColumn: run.deltaColumn)
        }
        let made = nextRun(of: run.flow, parameters, origin: .elsewhere, at: run.createdAt)
        return SimulatedRun(
            id: made.id, flow: run.flow, parameters: parameters, createdAt: run.createdAt, outcome: run.outcome,
            origin: .elsewhere)
    }

    /// The delta-column rule of the on-demand tutorial: a table's first run brings the column, which is then the
    /// flow's; a later run may name it again but not change it; a file has none.
    private func checkDeltaColumn(_ sent: DeltaColumn?, of flow: SimulatedFlow) throws(ServiceError) {
        switch (flow.source, deltaColumn(of: flow.id), sent) {
        case (.file, _, .some): throw .deltaColumnOfFiles(flow.id)
        case (.file, _, nil), (.table, .some, nil), (.table, nil, .some): return
        case (.table, nil, nil):
            // A run made elsewhere may have brought a column that this sandbox was never told.
            if places(of: flow.id).isEmpty { throw .deltaColumnNeeded(flow.id) }
        case (.table, .some(let known), .some(let sent)):
            guard known.isSameColumn(as: sent) else { throw .deltaColumnFixed(flow.id, at: known, sent: sent) }
        }
    }

    private func check(
        _ parameters: RunParameters, against times: FlowSpecification.Times
    ) throws(ServiceError) {
        let sent: [(String, WireTime?)] = [
            ("windowStartTime", parameters.windowStart), ("windowEndTime", parameters.windowEnd),
            ("startTime", parameters.startTime),
        ]
        for case (let key, let time?) in sent {
            switch (times, time) {
            case (.any, _), (.string, .string), (.integer, .integer): continue
            case (.string, .integer): throw .wrongType("params.\(key)", "a string")
            case (.integer, .string): throw .wrongType("params.\(key)", "an integer")
            }
        }
    }

    private func nextRun(
        of flow: FlowID, _ parameters: RunParameters?, origin: SimulatedOrigin, at now: Timestamp
    ) -> SimulatedRun {
        let seed = Seed(value: configuration.seed)
        let number = UInt64(runs.count)
        return SimulatedRun(
            id: seed.uuid(.runID, number), flow: flow, parameters: parameters, createdAt: now,
            outcome: configuration.outcomes.outcome(seed.fraction(.outcome, number), origin: origin), origin: origin)
    }
}

/// A run made by somebody else, for a sandbox that is not empty at the start.
package struct ForeignRun: Hashable, Sendable {
    /// The flow it ran.
    package let flow: FlowID
    /// `nil` for one whose window nobody can know.
    package let window: Window?
    /// When it was made; it moves through its states from then.
    package let createdAt: Timestamp
    /// How it ends.
    package let outcome: SimulatedOutcome
    /// Given, the flow's delta column is this from then on.
    package let deltaColumn: DeltaColumn?

    /// A run that succeeded and brought no delta column, unless told otherwise.
    package init(
        flow: FlowID, window: Window?, createdAt: Timestamp, outcome: SimulatedOutcome = .success,
        deltaColumn: DeltaColumn? = nil
    ) {
        self.flow = flow
        self.window = window
        self.createdAt = createdAt
        self.outcome = outcome
        self.deltaColumn = deltaColumn
    }
}
