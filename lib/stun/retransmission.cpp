#include "stun/retransmission.hpp"

namespace asiortc::stun {

retransmission::action retransmission::handle_timeout(base::time_point now) {
  if (now < deadline_) return action::none;
  if (left_ == 0) {
    deadline_ = base::never;
    return action::give_up;
  }
  --left_;
  wait_ *= 2;
  // Counted from now and not from the deadline: a late caller must not send a burst.
  deadline_ = now + (left_ == 0 ? rto_ * last_wait_ : wait_);
  return action::send;
}

}  // namespace asiortc::stun
