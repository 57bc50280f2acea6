#include "instantiations.hpp"

namespace quicchat {

template class quic::Driver<quic::Client>;
template class quic::Driver<quic::Server>;

}  // namespace quicchat
