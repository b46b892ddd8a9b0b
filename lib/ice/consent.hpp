// Whether a valid pair still works: consent (RFC 7675), keepalive, and signs of silence.
#pragma once

#include "base/random.hpp"
#include "base/time.hpp"
#include "ice/agent.hpp"

#include <chrono>

namespace asiortc::ice {

/// The pair carries data and is watched closely, or it is kept in reserve.
enum class watch { selected, reserve };

/// The clock of one valid pair. Each check is a transaction of its own and is not retransmitted
/// (RFC 7675 5.1), but while an answer is missing the next two follow after a second each, or half
/// of one where data finds no echo, so that a dead path is known within seconds and one lost packet
/// costs nothing.
class consent {
 public:
  /// The pair has become valid: an answer has come.
  void start(base::time_point now, const agent_settings& settings, base::random_source& random,
             watch how);
  void note_sent(base::time_point now, const agent_settings& settings, base::random_source& random);
  void note_answer(base::time_point now, const agent_settings& settings,
                   base::random_source& random);
  /// Anything came over the pair: a request, an answer, data.
  void note_received(base::time_point now) {
    last_received_ = now;
    unheard_since_ = base::never;
  }
  /// Data left over the pair. True if it is the first since something came: unless anything does,
  /// a check is due in `patience`.
  bool note_data_sent(base::time_point now) {
    if (unheard()) return false;
    unheard_since_ = now;
    return true;
  }
  static constexpr base::duration patience = std::chrono::seconds(1);
  /// Data has left over the pair, and nothing has come since.
  [[nodiscard]] bool unheard() const { return unheard_since_ != base::never; }
  /// Moves the next check nearer or farther as the pair's use changes.
  void set_watch(base::time_point now, const agent_settings& settings, base::random_source& random,
                 watch how);
  /// The next check is due now, unless one has been sent within the last second.
  void hurry(base::time_point now);

  [[nodiscard]] bool check_due(base::time_point now) const { return now >= next_check_at(); }
  /// RFC 7675 5.1: "consent ... expires 30 seconds after" the last answer.
  [[nodiscard]] bool expired(base::time_point now) const { return now >= expires_; }
  /// Checks go unanswered and nothing has come for a while: look for another pair.
  [[nodiscard]] bool doubtful(base::time_point now) const;
  /// Long enough to call the connection disconnected.
  [[nodiscard]] bool silent(base::time_point now, const agent_settings& settings) const;
  [[nodiscard]] base::time_point last_received() const { return last_received_; }
  /// When any of the answers above may change by itself; always later than `now` once due checks
  /// have been sent.
  [[nodiscard]] base::time_point next_deadline(base::time_point now,
                                               const agent_settings& settings) const;

 private:
  [[nodiscard]] base::duration interval(const agent_settings& settings,
                                        base::random_source& random) const;
  [[nodiscard]] base::time_point next_check_at() const;
  void schedule(base::time_point now, const agent_settings& settings, base::random_source& random);
  /// So many checks have had the time to be answered and were not.
  [[nodiscard]] bool unanswered(base::time_point now, int checks) const;

  base::time_point last_received_{};
  base::time_point expires_ = base::never;
  base::time_point next_check_ = base::never;
  base::time_point last_sent_{};
  base::time_point unheard_since_ = base::never;  ///< data was sent first then, and nothing came
  int unanswered_ = 0;
  watch watch_ = watch::reserve;
};

}  // namespace asiortc::ice
