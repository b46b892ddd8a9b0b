#include "signaling/codes.hpp"

#include <array>
#include <cstddef>

namespace asiortc::signaling {
namespace {

struct entry {
  std::string_view name;
  close_code code;
};

// In the order of error_kind.
constexpr std::array<entry, 15> entries{{
    {"bad-message", close_code::bad_message},
    {"unauthorized", close_code::unauthorized},
    {"forbidden", close_code::forbidden},
    {"peer-not-found", close_code::normal},  // never fatal
    {"resume-failed", close_code::resume_failed},
    {"join-timeout", close_code::timeout},
    {"idle", close_code::timeout},
    {"replaced", close_code::replaced},
    {"slow-consumer", close_code::slow_consumer},
    {"kicked", close_code::kicked},
    {"room-full", close_code::room_full},
    {"sealed", close_code::sealed},
    {"rate-limited", close_code::rate_limited},
    {"server-full", close_code::server_full},
    {"going-away", close_code::going_away},
}};

}  // namespace

std::string_view to_string(error_kind kind) { return entries[static_cast<std::size_t>(kind)].name; }

close_code close_code_of(error_kind kind) { return entries[static_cast<std::size_t>(kind)].code; }

}  // namespace asiortc::signaling
