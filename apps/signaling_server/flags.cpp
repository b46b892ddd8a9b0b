#include "flags.hpp"

#include "say.hpp"
#include "shared/log_levels.hpp"

#include <CLI/CLI.hpp>

#include <charconv>
#include <cstdint>
#include <string_view>

namespace {

/// `HOST:PORT`, `[V6]:PORT`.
bool split_listen(std::string_view text, std::string& host, std::uint16_t& port) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  std::string_view name = text.substr(0, colon);
  const std::string_view digits = text.substr(colon + 1);
  if (name.starts_with('[') && name.ends_with(']')) {
    name = name.substr(1, name.size() - 2);
  } else if (name.find(':') != std::string_view::npos) {
    return false;  // IPv6 without brackets: which colon is the port's?
  }
  const char* end = digits.data() + digits.size();
  const auto [stop, failed] = std::from_chars(digits.data(), end, port);
  host = name;
  return failed == std::errc() && stop == end && !host.empty();
}

std::string check_stun(const std::string& url) {
  try {
    asiortc::check_ice_server(asiortc::ice_server(url));
    if (url.starts_with("stun:")) return {};
  } catch (const asiortc::error&) {
  }
  return url + ": expected stun:HOST[:PORT]";
}

/// RFC 6454 6.2: scheme, host and port, and nothing else.
std::string check_origin(const std::string& origin) {
  const auto host = origin.find("://");
  const bool allowed = host != std::string::npos && host > 0 && host + 3 < origin.size() &&
                       origin.find_first_of("/?# ", host + 3) == std::string::npos;
  return allowed ? std::string() : origin + ": expected SCHEME://HOST[:PORT]";
}

}  // namespace

int parse_flags(int argc, char** argv, server_flags& flags) {
  asiortc::signaling_server_options& options = flags.options;
  std::string listen = "127.0.0.1:8765";
  CLI::App app("A signaling server for asiortc and browsers (protocol asiortc.v1)");
  app.option_defaults()->always_capture_default();
  app.set_version_flag("--version", "signaling_server " ASIORTC_VERSION);
  app.add_option("--listen", listen,
                 "Address to listen on, a literal or localhost; port 0 picks one")
      ->type_name("HOST:PORT");
  app.add_option("--allow-origin", options.allowed_origins,
                 "Let only web pages of this origin in, e.g. https://example.org; may be repeated. "
                 "Without it every page may connect")
      ->type_name("ORIGIN")
      ->check(CLI::Validator(check_origin, ""));
  std::vector<std::string> stun;
  app.add_option("--stun", stun, "STUN server told to peers, e.g. stun:host:3478; may be repeated")
      ->type_name("URL")
      ->check(CLI::Validator(check_stun, ""));
  app.add_option("--max-connections", options.max_connections,
                 "Most sockets at once; fewer where the limit of open files is lower")
      ->check(CLI::Range(1, 1000000));
  app.add_option("--max-rooms", options.max_rooms, "Most rooms at once")
      ->check(CLI::Range(1, 1000000));
  app.add_option("--max-peers", options.max_peers_per_room, "Most peers in a room")
      ->check(CLI::Range(1, 2048));
  app.add_option("--max-queue", options.max_queue, "Most unread bytes a peer before it is closed")
      ->check(CLI::Range(65536, 1 << 30));
  std::string level = "info";
  app.add_option("--log-level", level, "trace, debug, info, warning or error")
      ->check(CLI::IsMember(shared::log_levels()));
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& help_or_version) {
    return app.exit(help_or_version);
  } catch (const CLI::ParseError& wrong) {
    complain(wrong.what());
    return 2;
  }
  if (!split_listen(listen, options.host, options.port)) {
    complain("--listen " + listen + ": expected HOST:PORT or [V6]:PORT");
    return 2;
  }
  for (const std::string& url : stun) options.ice_servers.emplace_back(url);
  options.allow_any_origin = options.allowed_origins.empty();
  flags.log_level = shared::log_levels().at(level);
  return -1;
}
