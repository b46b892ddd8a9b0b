// The levels of the log, by the names that a command line takes.
#pragma once

#include <asiortc/log.hpp>

#include <map>
#include <string>

namespace shared {

inline const std::map<std::string, asiortc::log_level>& log_levels() {
  static const std::map<std::string, asiortc::log_level> levels{
      {"trace", asiortc::log_level::trace},
      {"debug", asiortc::log_level::debug},
      {"info", asiortc::log_level::info},
      {"warning", asiortc::log_level::warning},
      {"error", asiortc::log_level::error}};
  return levels;
}

}  // namespace shared
