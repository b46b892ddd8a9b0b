#include "options.hpp"

#include "say.hpp"
#include "shared/log_levels.hpp"
#include "shared/text.hpp"

#include <asiortc/configuration.hpp>
#include <asiortc/error.hpp>

#include <CLI/CLI.hpp>
#include <boost/algorithm/string/predicate.hpp>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <locale>
#include <string_view>

namespace peer_cli {
namespace {

constexpr std::size_t max_room_size = 64;
constexpr std::size_t max_name_bytes = 64;

std::string check_room(const std::string& room) {
  const auto allowed = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  };
  if (!room.empty() && room.size() <= max_room_size &&
      std::all_of(room.begin(), room.end(), allowed)) {
    return {};
  }
  return "expected 1 to 64 of A-Z a-z 0-9 . _ -";
}

std::string check_name(const std::string& name) {
  const bool allowed = name.size() <= max_name_bytes && shared::printable(name) == name;
  return allowed ? std::string() : "expected at most 64 bytes of UTF-8 without control characters";
}

std::string default_name() {
  const char* user = std::getenv("USER");
  const std::string name = user == nullptr ? "" : user;
  return name.empty() || !check_name(name).empty() ? "peer" : name;
}

/// Whether the library takes the URL, and its scheme is one of those the flag is for.
std::string check_url(const std::string& url, std::initializer_list<std::string_view> schemes,
                      const char* expected) {
  const bool known = std::any_of(schemes.begin(), schemes.end(), [&url](std::string_view scheme) {
    return boost::algorithm::istarts_with(url, scheme, std::locale::classic());
  });
  asiortc::ice_server server(url);
  server.username = server.credential = "given apart";
  try {
    asiortc::check_ice_server(server);
    if (known) return {};
  } catch (const asiortc::error&) {
  }
  return shared::printable(url) + ": " + expected;
}

std::string check_stun(const std::string& url) {
  return check_url(url, {"stun:"}, "expected stun:HOST[:PORT]");
}

std::string check_any_stun(const std::string& url) {
  return check_url(url, {"stun:", "stuns:"}, "expected stun:HOST[:PORT] or stuns:HOST[:PORT]");
}

std::string check_turn(const std::string& url) {
  return check_url(url, {"turn:", "turns:"},
                   "expected turn:HOST[:PORT][?transport=udp|tcp] or turns:HOST[:PORT]");
}

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string check_certificates(const std::string& path) {
  const bool some = read_file(path).find("-----BEGIN ") != std::string::npos;
  return some ? std::string()
              : shared::printable(path) + ": expected a file of certificates in PEM";
}

/// Gives back the option that names TURN servers.
CLI::Option* add_server_options(CLI::App& command, server_options& servers) {
  auto* const turn = command
                         .add_option("--turn", servers.turn,
                                     "TURN server, turn:HOST[:PORT][?transport=udp|tcp] or "
                                     "turns:HOST[:PORT]; may be given often")
                         ->check(CLI::Validator(check_turn, ""))
                         ->allow_extra_args(false);
  auto* const user =
      command.add_option("--turn-user", servers.turn_user, "User name for the TURN servers");
  auto* const password =
      command.add_option("--turn-pass", servers.turn_password, "Password for the TURN servers");
  turn->needs(user)->needs(password);
  user->needs(turn);
  password->needs(turn);
  return turn;
}

CLI::Option* add_trust_option(CLI::App& command, server_options& servers, const char* help) {
  return command
      .add_option_function<std::string>(
          "--turn-ca",
          [&servers](const std::string& path) { servers.turn_trusted = read_file(path); }, help)
      ->check(CLI::ExistingFile)
      ->check(CLI::Validator(check_certificates, ""));
}

void add_stun_option(CLI::App& command, server_options& servers, const CLI::Validator& check,
                     const char* help) {
  command.add_option("--stun", servers.stun, help)->check(check)->allow_extra_args(false);
}

void add_relay_flags(CLI::App& command, chat_options& chat, CLI::Option* turn) {
  auto* const only = command.add_flag("--relay-only", chat.relay_only,
                                      "Go through a TURN server even where a direct way exists");
  only->needs(turn);
  command
      .add_flag("--no-relay", chat.no_relay,
                "Ask no TURN server for a relay; others may go through theirs")
      ->excludes(only);
}

void add_mux_option(CLI::App& command, chat_options& chat) {
  command
      .add_option("--udp-mux", chat.udp_mux,
                  "One UDP port for all connections of this process; 0 picks one")
      ->check(CLI::Range(0, 65535));
}

void add_log_option(CLI::App& command, chat_options& chat) {
  command
      .add_option_function<std::string>(
          "--log-level",
          [&chat](const std::string& name) { chat.log = shared::log_levels().at(name); },
          "Show what the connections do: trace, debug, info, warning or error")
      ->check(CLI::IsMember(shared::log_levels()));
}

constexpr std::string_view exit_codes =
    "A line is for everyone who is in the room when it is read, and for who comes within 2 s.\n"
    "Lines that are read before anybody is there wait for who comes first. What is said while\n"
    "somebody's connection is on the way is kept for them; who is not reached within 10 s does\n"
    "not get it, which is said on standard error. A member whose connection fails is met again\n"
    "where that is possible. At the end of the input it leaves, once the others have acknowledged\n"
    "every line.\n"
    "Exit status: 0 all was delivered, or a signal ended it; 1 somebody who was in the room did\n"
    "not get a line, or another failure; 2 wrong usage; 3 no signaling server, or it refused;\n"
    "4 nobody came within --wait.";

constexpr std::string_view doctor_exit_codes =
    "Exit status: 0 a peer elsewhere can be reached, directly or through a relay; 1 only peers on "
    "this\n"
    "machine or network can, or none, or the signaling server that was named does not answer; 2 "
    "wrong\n"
    "usage.";

CLI::App* add_chat(CLI::App& app, chat_options& chat, std::size_t& wait) {
  CLI::App* command = app.add_subcommand(
      "chat", "Sends the lines that it reads to everyone in the room and prints theirs");
  command->add_option("ROOM", chat.room, "The room, 1 to 64 of A-Z a-z 0-9 . _ -")
      ->required()
      ->check(CLI::Validator(check_room, ""));
  command->add_option("--server", chat.server,
                      "Signaling server, ws://HOST:PORT/ (default: ws://127.0.0.1:8765/, served by "
                      "this process where nothing listens)");
  command->add_option("--name", chat.name, "What the others see (default: the user's name)")
      ->check(CLI::Validator(check_name, ""));
  add_stun_option(*command, chat, CLI::Validator(check_stun, ""),
                  "STUN server, stun:HOST[:PORT]; may be given often");
  auto* const turn = add_server_options(*command, chat);
  add_trust_option(
      *command, chat,
      "File with the certificates, in PEM, that vouch for turns: servers (default: the "
      "system's)")
      ->needs(turn);
  add_relay_flags(*command, chat, turn);
  command->add_flag("--ice-tcp", chat.ice_tcp,
                    "Connect over TCP too, where no UDP gets through; listens on TCP ports");
  add_mux_option(*command, chat);
  add_log_option(*command, chat);
  command
      ->add_option("--wait", wait,
                   "Seconds to wait for somebody to come, for the first peer and whenever lines "
                   "wait and nobody is left (default: for ever)")
      ->check(CLI::Range(1, 86400));
  command->footer(std::string(exit_codes));
  return command;
}

CLI::App* add_doctor(CLI::App& app, doctor_options& doctor) {
  CLI::App* command = app.add_subcommand(
      "doctor", "Tries what a connection needs, and says what works and what does not");
  command->add_option("--server", doctor.server, "Signaling server to try, ws://HOST:PORT/");
  add_stun_option(*command, doctor, CLI::Validator(check_any_stun, ""),
                  "STUN server to try, stun:HOST[:PORT] or stuns:HOST[:PORT]; may be given often");
  add_server_options(*command, doctor);
  add_trust_option(*command, doctor,
                   "File with the certificates, in PEM, that vouch for stuns: and turns: servers "
                   "(default: the system's)");
  command->footer(std::string(doctor_exit_codes));
  return command;
}

}  // namespace

bool is_turn_url(const std::string& url) {
  return boost::algorithm::istarts_with(url, "turn", std::locale::classic());
}

parsed_options parse_options(int argc, char** argv) {
  chat_options chat;
  chat.name = default_name();
  CLI::App app("Talks to other peers directly, over WebRTC data channels.", "peer_cli");
  app.footer(
      "Exit status of chat: see peer_cli chat --help; of doctor: see peer_cli doctor --help.");
  app.set_version_flag("--version", "peer_cli " ASIORTC_VERSION);
  app.require_subcommand(0, 1);  // told by us, after a flag that is wrong
  std::size_t wait = 0;
  const CLI::App* const chats = add_chat(app, chat, wait);
  doctor_options doctor;
  const CLI::App* const examines = add_doctor(app, doctor);

  parsed_options parsed;
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {
    app.exit(success);
    return parsed;
  } catch (const CLI::ParseError& wrong) {
    complain(std::string(wrong.what()) + " (see peer_cli --help)");
    parsed.status = exit_code::usage;
    return parsed;
  }
  if (wait != 0) chat.wait = std::chrono::seconds(wait);
  if (chats->parsed()) {
    parsed.chat = std::move(chat);
  } else if (examines->parsed()) {
    parsed.doctor = std::move(doctor);
  } else {
    complain("expected the command chat or doctor (see peer_cli --help)");
    parsed.status = exit_code::usage;
  }
  return parsed;
}

}  // namespace peer_cli
