import FlowRuns
import Logging

/// The Flow Service over HTTP. All requests share one rate limit; a stop ends every wait, and every read.
///
/// ```swift
/// let service = try HTTPFlowService(
///     address: "https://platform.adobe.io/data/foundation/flowservice", organization: "1234@AdobeOrg",
///     sandbox: "prod", credentials: .fromEnvironment(environment), options: .init(version: "1.0.0"), logger: logger)
/// await service.takeTurn()
/// let answer = await service.createRun(body, sendBefore: deadline)
/// await service.close()
/// ```
package struct HTTPFlowService: FlowService {
    package struct Options: Sendable {
        /// Sent as `User-Agent: sluice/VERSION`.
        package var version: String
        /// No request lasts longer, its answer's body included.
        package var requestTimeout = Duration.seconds(30)
        package var requestsPerSecond = 5.0
        /// Of reads and requests for a token. Requests for runs are never sent again.
        package var retryPolicy = RetryPolicy()
        /// Ends waits and reads with ``FlowServiceError/stopped``.
        package var stop = StopSignal()
        package var time: any TimeSource = SystemTime()
        /// Plain `http` to other machines than this one.
        package var allowsInsecureHTTP = false
        /// Where `SSL_CERT_FILE`, `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` are looked for.
        package var environment: [String: String] = [:]
        /// How many runs or flows a page of a listing holds.
        package var pageLimit = 100

        package init(version: String) { self.version = version }
    }

    let transport: Transport
    let tokens: AccessTokens
    let sender: RetryingSender
    let headers: [(name: String, value: String)]
    let secrets: [String]
    let pageLimit: Int
    let stop: StopSignal
    let time: any TimeSource
    let freshAnswers: FreshAnswers

    /// - Parameters:
    ///   - address: the base address, such as `https://platform.adobe.io/data/foundation/flowservice`.
    ///   - logger: at `trace`, told each request's method, path, status and duration, at `debug` each wait for a retry,
    ///     at `warning` a long one; nothing else ever.
    /// - Throws: ``ConfigurationError``; nothing was sent then.
    package init(
        address: String, organization: String, sandbox: String, credentials: Credentials, options: Options,
        logger: Logger
    ) throws(ConfigurationError) {
        for (name, value) in [("organization", organization), ("sandbox", sandbox), ("version", options.version)] {
            guard value.isHeaderValue else { throw .invalidValue(name: name) }
        }
        let network = try NetworkEnvironment(options.environment)
        func transport(to address: String) throws(ConfigurationError) -> Transport {
            let address = try ServiceAddress(address, allowsInsecureHTTP: options.allowsInsecureHTTP)
            return Transport(
                over: try network.route(to: address), timeout: options.requestTimeout, time: options.time,
                logger: logger)
        }
        sender = RetryingSender(
            retryPolicy: options.retryPolicy, rateLimiter: RateLimiter(requestsPerSecond: options.requestsPerSecond),
            time: options.time, stop: options.stop, logger: logger)
        switch credentials {
        case .bearer(let token, let apiKey):
            guard token.isHeaderValue else { throw .invalidValue(name: "the access token") }
            guard apiKey.isHeaderValue else { throw .invalidValue(name: "the API key") }
            tokens = AccessTokens(fixed: token)
        case .clientCredentials(let client):
            guard client.id.isHeaderValue else { throw .invalidValue(name: "the client id") }
            tokens = AccessTokens(of: client, over: try transport(to: client.tokenAddress), sender: sender)
        case .none:
            tokens = AccessTokens(fixed: "embedded")
        }
        self.transport = try transport(to: address)
        headers = [
            ("x-api-key", credentials.apiKey), ("x-gw-ims-org-id", organization), ("x-sandbox-name", sandbox),
            ("User-Agent", "sluice/\(options.version)"),
        ]
        secrets = credentials.secrets
        pageLimit = options.pageLimit
        stop = options.stop
        time = options.time
        freshAnswers = FreshAnswers(time: options.time, stop: options.stop)
    }

    /// Ends all connections. Must be called before the service is let go; idempotent.
    package func close() async {
        await transport.close()
        await tokens.close()
    }

    package func takeTurn() async { await sender.takeTurn() }

    package func turnDelay() -> Duration { sender.rateLimiter.delay(at: time.monotonic()) }

    package func serviceTime() -> ServiceTime? { freshAnswers.serviceTime() }

    /// The headers of every request.
    func authorized(by token: String) -> [(name: String, value: String)] {
        [("Authorization", "Bearer \(token)")] + headers
    }
}
