// The command line of peer_cli.
#pragma once

#include <asiortc/log.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace peer_cli {

/// What the process ends with; told by `--help`.
enum class exit_code {
  ok = 0,           ///< all was delivered, or the user ended it
  failure = 1,      ///< a line was not delivered, no peer elsewhere is reachable, or what no other
                    ///< code names went wrong
  usage = 2,        ///< a flag or an argument is wrong
  no_server = 3,    ///< the signaling server cannot be reached, or refused
  nobody_came = 4,  ///< `--wait` passed before anybody was connected
};

/// The STUN and TURN servers that the user names.
class server_options {
 public:
  server_options() = default;

  std::vector<std::string> stun;
  std::vector<std::string> turn;
  std::string turn_user;
  std::string turn_password;
  std::string turn_trusted;  ///< PEM; empty: the system's certificates
};

class chat_options : public server_options {
 public:
  chat_options() = default;

  std::string room;
  std::optional<std::string> server;  ///< none: the one on this machine, or this process
  std::string name;
  bool relay_only = false;
  bool no_relay = false;
  bool ice_tcp = false;
  std::optional<std::uint16_t> udp_mux;      ///< one port for all; none: one a connection
  std::optional<asiortc::log_level> log;     ///< none: the library is silent
  std::optional<std::chrono::seconds> wait;  ///< none: for ever
};

class doctor_options : public server_options {
 public:
  doctor_options() = default;

  std::optional<std::string> server;  ///< none: signaling is not tried
};

/// The options of one command, or the status to exit with after what is to be said was said.
class parsed_options {
 public:
  parsed_options() = default;

  std::optional<chat_options> chat;
  std::optional<doctor_options> doctor;
  exit_code status = exit_code::ok;
};

/// Of a URL that was checked: `turn:` or `turns:`, in any case (RFC 3986 3.1).
bool is_turn_url(const std::string& url);

parsed_options parse_options(int argc, char** argv);

}  // namespace peer_cli
