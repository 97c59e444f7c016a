import FlowRuns
import FlowService
import Logging
import NIOHTTP1

/// The Flow Service over HTTP. All requests share one rate limit, and a stop ends all waits and reads.
///
/// ```swift
/// let service = try HTTPFlowService(
///     address: "https://platform.adobe.io/data/foundation/flowservice", organization: "1234@AdobeOrg",
///     sandbox: "prod", credentials: .fromEnvironment(environment), options: .init(version: "1.0.0"), logger: logger)
/// await service.waitForRateLimit()
/// let answer = await service.createRun(body, sendBefore: deadline)
/// await service.close()
/// ```
package struct HTTPFlowService: FlowService {
    package struct Options: Sendable {
        /// The version in the `User-Agent` header: `sluice/VERSION`.
        package var version: String
        /// Maximum duration of a request, including the body of its answer.
        package var requestTimeout = Duration.seconds(30)
        package var requestsPerSecond = 5.0
        /// Applies to reads and token requests. Run requests are never retried.
        package var retryPolicy = RetryPolicy()
        /// Ends waits and reads with `FlowServiceError/stopped`.
        package var stop = StopSignal()
        package var time: any TimeSource = SystemTime()
        /// Whether plain `http` to other machines is allowed.
        package var allowsInsecureHTTP = false
        /// Variables from which `SSL_CERT_FILE`, `SSL_CERT_DIR`, `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` are read.
        package var environment: [String: String] = [:]
        /// Number of runs or flows requested per page of a listing.
        package var pageLimit = 100

        package init(version: String) { self.version = version }
    }

    let transport: Transport
    let tokens: AccessTokens
    let sender: RetryingSender
    private let headers: [(String, String)]
    let secrets: [String]
    let pageLimit: Int
    let time: any TimeSource
    let freshAnswers: FreshAnswers

    /// - Parameters:
    ///   - address: the base address, such as `https://platform.adobe.io/data/foundation/flowservice`.
    ///   - organization: the ID of the organization, sent as `x-gw-ims-org-id`.
    ///   - sandbox: the name of the sandbox, sent as `x-sandbox-name`.
    ///   - credentials: the credentials of every request.
    ///   - options: time limits, retries and the rate limit.
    ///   - logger: receives the method, path, status and duration of each request at `trace`, each wait before a retry
    ///     at `debug`, and long waits at `warning`. Nothing else is logged.
    /// - Throws: ``ConfigurationError`` when a setting is invalid. Nothing has been sent.
    package init(
        address: String, organization: String, sandbox: String, credentials: Credentials, options: Options,
        logger: Logger
    ) throws(ConfigurationError) {
        for (name, value) in [("organization", organization), ("sandbox", sandbox), ("version", options.version)] {
            guard value.isHeaderValue else { throw .invalidValue(name: name) }
        }
        let network = try NetworkEnvironment(options.environment)
        func transport(to address: String) throws(ConfigurationError) -> Transport {
            try Transport(
                to: ServiceAddress(address, allowsInsecureHTTP: options.allowsInsecureHTTP), over: network,
                timeout: options.requestTimeout, time: options.time, logger: logger)
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
        time = options.time
        freshAnswers = FreshAnswers(time: options.time, stop: options.stop)
    }

    /// Closes all connections. Must be called before the service is deallocated. Idempotent.
    package func close() async {
        await transport.close()
        await tokens.close()
    }

    package func waitForRateLimit() async { await sender.waitForRateLimit() }

    package func rateLimitDelay() -> Duration { sender.rateLimiter.delay(at: time.monotonic()) }

    package func serviceTime() -> ServiceTime? { freshAnswers.serviceTime() }

    /// Returns the headers of every request.
    func authorized(by token: String) -> HTTPHeaders { HTTPHeaders([("Authorization", "Bearer \(token)")] + headers) }
}

/// An error in the settings of a client. Nothing was sent.
package enum ConfigurationError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The address is not `https` (or `http`, where allowed) with only a host and a path.
    case invalidAddress(String, reason: String)
    /// Plain `http` to another machine would expose the token on the network.
    case insecureAddress(String)
    /// The value named `name` is not a valid HTTP header value.
    case invalidValue(name: String)
    /// `SSL_CERT_FILE` or `SSL_CERT_DIR` does not name a readable PEM file with certificates.
    case unreadableCertificates(variable: String, path: String, reason: String)
    /// The variable is not the address of an HTTP proxy. Its value may contain a password and is not shown.
    case invalidProxy(variable: String)

    /// The problem and its correction, without secrets.
    package var description: String {
        switch self {
        case .invalidAddress(let address, let reason): "the address '\(address)' cannot be used: \(reason)"
        case .insecureAddress(let address):
            "the address '\(address)' is plain http to another machine: use https, or --insecure-http"
        case .invalidValue(let name): "\(name) is empty or has characters that a header cannot hold"
        case .unreadableCertificates(let variable, let path, let reason):
            "cannot read the certificates of \(variable)=\(path): \(reason)"
        case .invalidProxy(let variable): "\(variable) is not the address of an HTTP proxy: write http://host:port"
        }
    }
}
