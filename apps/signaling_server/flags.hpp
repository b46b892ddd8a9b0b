// The command line of signaling_server.
#pragma once

#include <asiortc/signaling_server.hpp>

#include <string>

/// What the command line asked for.
struct server_flags {
  asiortc::signaling_server_options options;
  asiortc::log_level log_level = asiortc::log_level::info;
};

/// Gives -1 and fills `flags`, or the exit status of a process that has nothing more to do; what
/// there was to say has been said.
int parse_flags(int argc, char** argv, server_flags& flags);
