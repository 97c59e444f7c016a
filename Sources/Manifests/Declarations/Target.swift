import FlowRuns

/// An organisation, sandbox, service address and ledger: `kind: Target`.
package struct Target: Hashable, Sendable {
    /// The Flow Service that a target uses.
    package enum Service: Hashable, Sendable, CustomStringConvertible {
        /// The simulator, started in this process on the loopback interface.
        case embedded
        /// A base address without a trailing slash.
        case address(String)

        /// The service as a manifest writes it.
        package var description: String {
            switch self {
            case .embedded: "embedded"
            case .address(let address): address
            }
        }
    }

    package let name: String
    package let service: Service
    package let organization: String
    package let sandbox: String
    package let ledger: LedgerAddress
    package let wireForm: WireForm
    package let limits: Limits
    /// The address of a run's page; `nil` if the manifest declares none.
    package let runLink: RunLink?
    /// The position of the `metadata.name` value.
    package let place: Place

    package init(
        name: String, service: Service, organization: String, sandbox: String, ledger: LedgerAddress,
        wireForm: WireForm = WireForm(), limits: Limits = Limits(), runLink: RunLink? = nil, place: Place
    ) {
        self.name = name
        self.service = service
        self.organization = organization
        self.sandbox = sandbox
        self.ledger = ledger
        self.wireForm = wireForm
        self.limits = limits
        self.runLink = runLink
        self.place = place
    }

    /// The key of this target's runs within a ledger: service, organisation and sandbox. The target's name is not part
    /// of the key, so renaming a target never repeats a request.
    package var identity: String {
        TargetIdentity(service: service.description, organization: organization, sandbox: sandbox).description
    }

    /// The keys under which a ledger may store this target's runs: the normalized one, then the one of earlier
    /// versions, with the address as the manifest spells it. For other spellings see `TargetIdentity`.
    package var identities: [String] {
        let written = "\(service) \(organization) \(sandbox)"
        return written == identity ? [identity] : [identity, written]
    }
}

/// Limits on the size and rate of an apply.
package struct Limits: Hashable, Sendable {
    /// The maximum number of requests in one apply. A larger plan is refused.
    package var maxRunsPerApply = 500
    /// The maximum number of runs per UTC day over all flows; `nil` for no limit.
    package var runsPerDay: Int?
    /// The maximum number of runs in progress at once; `nil` for no limit.
    package var running: Int?
    package var parallelFlows = 8
    /// The maximum rate of calls to the service, over all flows.
    package var requestsPerSecond = 5.0
    /// The maximum duration of one request, and the maximum time from a claim until its request is sent.
    package var requestTimeout: Duration = .seconds(30)
    /// The maximum time from a claim until an accepted request appears in the service's listing; at least
    /// ``minSettle``.
    package var settle: Duration = .seconds(120)

    package init() {}

    /// The minimum of ``settle``. A request may be sent up to one `requestTimeout` after its claim and last for
    /// another; the third is for the service to list the run.
    package var minSettle: Duration { requestTimeout * 3 }
}
