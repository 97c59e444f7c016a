import Foundation

/// A gateway in front of the simulator, in a process of its own, that changes answers on their way.
struct Gateway {
    let program: RunningProgram
    let address: String

    /// What it does to answers.
    enum Habit: String {
        /// Compresses each body and ignores `Accept-Encoding`.
        case gzip
        case deflate
        /// Names a coding that Sluice does not decode.
        case brotli
        /// Writes `Date` and `Retry-After` as RFC 850 did, and asks once to wait for three seconds.
        case rfc850
        /// The same as C's `asctime` writes them.
        case asctime
        /// Answers each `GET /runs` from a cache, by its address, with an `Age`; the answer to the first `POST` is lost.
        case cache
        /// The same without the address: another page size does not help.
        case deepCache
        /// Keeps the old `Date`, and has no `Age`.
        case silentCache
        /// The answer to the first `POST` is lost, and from then on every `Date` is an hour ahead.
        case clockJump
        /// Answers each re-trigger with the id of the run that was to be retried.
        case knownRun
    }

    private static let script = #"""
        import gzip, http.server, sys, time, urllib.error, urllib.request, zlib
        service, habit = sys.argv[2:4]
        forms = {"rfc850": "%A, %d-%b-%y %H:%M:%S GMT", "asctime": "%a %b %e %H:%M:%S %Y"}
        delayed, kept, lost = [], {}, []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                isCaching, isRead = "ache" in habit, self.command == "GET" and self.path.startswith("/runs?")
                key = "runs" if habit == "deepCache" else self.path
                if isCaching and isRead and key in kept:
                    content, date, born = kept[key]
                    self.send_response_only(200)
                    self.send_header("Date", date)
                    if habit != "silentCache": self.send_header("Age", str(int(time.time() - born) + 1))
                    self.send_header("Via", "1.1 proxy.corp.example")
                    self.send_header("Content-Length", str(len(content)))
                    self.end_headers()
                    return self.wfile.write(content)
                body = self.rfile.read(int(self.headers.get("Content-Length", 0))) or None
                passed = {k: v for k, v in self.headers.items() if k.lower() not in ("host", "content-length", "connection")}
                request = urllib.request.Request(service + self.path, body, passed, method=self.command)
                try: answer = urllib.request.urlopen(request)
                except urllib.error.HTTPError as error: answer = error
                status, content, headers, now = answer.status, answer.read(), {}, time.time()
                if habit == "gzip": content, headers = gzip.compress(content), {"Content-Encoding": "gzip"}
                if habit == "deflate": content, headers = zlib.compress(content), {"Content-Encoding": "deflate"}
                if habit == "brotli": content, headers = b"\x8b" + content, {"Content-Encoding": "br"}
                if habit in forms:
                    headers["Date"] = time.strftime(forms[habit], time.gmtime(now))
                    if self.command == "GET" and not delayed:
                        delayed.append(now)
                        status, content = 429, b""
                        headers["Retry-After"] = time.strftime(forms[habit], time.gmtime(int(now) + 3))
                if habit == "clockJump" and lost: headers["Date"] = self.date_time_string(now + 3600)
                if habit == "knownRun" and "op=re-trigger" in self.path and status < 300:
                    content = b'{"id": "%s", "etag": "1"}' % self.path.split("/")[2].encode()
                if isCaching and isRead: kept[key] = (content, self.date_time_string(now), now)
                if (isCaching or habit == "clockJump") and self.command == "POST" and not lost:
                    lost.append(now)
                    self.close_connection = True
                    return
                self.send_response_only(status)
                for name, value in headers.items(): self.send_header(name, value)
                if "Date" not in headers: self.send_header("Date", self.date_time_string())
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)
            do_POST = do_GET

            def log_message(self, *_): pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        print(f"http://127.0.0.1:{server.server_port}", flush=True)
        server.serve_forever()
        """#

    init(_ habit: Habit, before service: String, _ user: Program) async throws {
        let program = try user.start([service, habit.rawValue], below: Self.script)
        try await program.wait { program.outputSoFar.contains("\n") }
        self.program = program
        address = program.outputSoFar.split(separator: "\n").first.map(String.init) ?? ""
    }

    /// Kills it: a child of Foundation's is born with SIGTERM blocked, and Python leaves that so.
    func stop() async throws {
        program.signal(SIGKILL)
        _ = try await program.end()
    }
}
