#include "line_log.hpp"

#include <cassert>
#include <utility>

namespace peer_cli {

std::size_t line_log::size_of(const line& which) { return sizeof(line) + which.text.size(); }

void line_log::add(std::string text) {
  lines_.push_back({std::move(text), {}});
  bytes_ += size_of(lines_.back());
}

std::string line_log::say(place which, time_point now) {
  assert(which >= first_ && which < end() && which <= said_);
  line& found = lines_[static_cast<std::size_t>(which - first_)];
  if (which == said_) {
    found.said_at = now;
    ++said_;
  }
  return found.text;
}

void line_log::trim(place needed, time_point now) {
  while (first_ < needed && first_ < said_ &&
         (lines_.front().said_at + recent <= now || bytes_ > max_recent_bytes)) {
    bytes_ -= size_of(lines_.front());
    lines_.pop_front();
    ++first_;
  }
}

line_log::place line_log::for_newcomer(time_point now) const {
  place found = said_;
  while (found > first_ &&
         lines_[static_cast<std::size_t>(found - first_ - 1)].said_at + recent > now) {
    --found;
  }
  return found;
}

}  // namespace peer_cli
