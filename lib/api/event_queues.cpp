// The one place where the queues of the library's event streams are instantiated.
#include <asiortc/detail/event_queue_impl.hpp>
#include <asiortc/peer_connection.hpp>
#include <asiortc/signaling_pipe.hpp>

namespace asiortc::inline ASIORTC_ABI::detail {

template class event_queue<message>;
template class event_queue<data_channel>;
template class event_queue<ice_candidate>;
template class event_queue<ice_candidate_error>;
template class event_queue<candidate_pair>;
template class event_queue<negotiation_needed_event>;
template class event_queue<buffered_amount_low_event>;
template class event_queue<state_change<connection_state>>;
template class event_queue<state_change<ice_connection_state>>;
template class event_queue<state_change<ice_gathering_state>>;
template class event_queue<state_change<signaling_state>>;
template class event_queue<state_change<data_channel_state>>;

}  // namespace asiortc::inline ASIORTC_ABI::detail
