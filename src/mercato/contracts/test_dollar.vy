# pragma version 0.4.3
# pragma evm-version cancun
# A dollar for test networks, to be completed.

decimals: public(constant(uint8)) = 6
