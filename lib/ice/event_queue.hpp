// Events in order until they are polled; costs nothing while it is empty.
#pragma once

#include "ice/agent.hpp"

#include <optional>
#include <utility>
#include <vector>

namespace asiortc::ice {

class event_queue {
 public:
  template <class Event>
  void push(Event value) {
    events_.emplace_back(std::in_place_type<Event>, std::move(value));
  }

  std::optional<event> pop() {
    if (next_ == events_.size()) return std::nullopt;
    std::optional<event> value(std::move(events_[next_++]));
    if (next_ == events_.size()) clear();
    return value;
  }

  void clear() {
    events_ = {};
    next_ = 0;
  }

 private:
  std::vector<event> events_;
  std::size_t next_ = 0;
};

}  // namespace asiortc::ice
