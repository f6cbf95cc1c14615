# SPDX-License-Identifier: Apache-2.0
"""Costs of hand-assembled sequences, worked out by hand from the manual's tables and the stall rules."""

from __future__ import annotations

import pytest

from edgegrf.virtual.cortexm import cycles
from edgegrf.virtual.cortexm.cycles import block_cost
from edgegrf.virtual.cortexm.decode import Linear, decode
from edgegrf.virtual.cortexm.flash import FlashProbe, flash_reads

FLASH = 0x10_0000
IN_RAM = 0x2000_1000

# little-endian encodings, as the assembler writes them
ADDS_R0_R1_R2 = "8818"
LDR_R3_R0_4 = "4368"
LDR_R4_R0_8 = "8468"
LDR_R4_R3_8 = "9c68"
LDR_R5_R4 = "2568"
STR_R3_R0_12 = "c360"
LDRD_R0_R1_R2 = "d2e90001"
STRD_R0_R1_R2 = "c2e90001"
LDM_R0_FOUR = "1ec8"
PUSH_R4_R5_LR = "30b5"
POP_R4_R5_PC = "30bd"
VLDM_R0_FOUR = "b0ec040a"
VPUSH_D8_D9 = "2ded048b"
VLDR_S0_R1 = "91ed000a"
VLDR_S1_R1_4 = "d1ed010a"
VSTR_S0_R1 = "81ed000a"
VADD_S2_S0_S1 = "30ee201a"
VMUL_S3_S2_S1 = "61ee201a"
VFMA_S3_S2_S1 = "e1ee201a"
VDIV_S0_S1_S2 = "80ee810a"
SMLAD_R0 = "21fb0200"  # r0 += r1 . r2
SMLAD_R3 = "21fb0233"
MLA_R4 = "01fb0244"
SMLAL_R6_R7 = "c1fb0267"
SMLABB_R0 = "11fb0200"
UMLAL_R6_R7 = "e1fb0267"
MLS_R4 = "01fb1244"
SMMLAR_R3_R0_R1_R2 = "50fb1123"
SMULL_R0_R3 = "82fb0301"
SDIV = "91fbf2f0"
UDIV = "b1fbf2f0"
IT_EQ, MOVEQ_R0_R1 = "08bf", "0846"
CBZ_R0, B, BL, BX_LR, TBB = "08b1", "00e0", "00f002f8", "7047", "dfe800f0"
DSB, MRS_PRIMASK, NOP_W, SEV = "bff34f8f", "eff31080", "aff30080", "40bf"
LDR_R1_R0_POST = "50f8041b"
LDR_R2_R1_R3_LSL2 = "51f82320"
LDR_R3_R1_R0 = "0b58"
VLDR_S0_R0 = "90ed000a"
LDR_R1_PC_0 = "0049"
ADD_R1_16 = "01f11001"
MOV_R5_R0 = "0546"
LDRSB_R2_R5_R3 = "ea56"
LDM_R0_TWO = "90e80600"
UNDECODABLE = "ffff0000"


def cost(*codes, address=IN_RAM, words=None):
    code = bytes.fromhex("".join(codes))
    return block_cost(decode(code, address), address, FLASH, (words or {}).__getitem__)


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        ((ADDS_R0_R1_R2,), 1),
        ((NOP_W,), 1),
        ((LDR_R3_R0_4,), 2),
        ((STR_R3_R0_12,), 1),
        ((LDRD_R0_R1_R2,), 3),
        ((STRD_R0_R1_R2,), 3),
        ((LDM_R0_FOUR,), 5),
        ((LDM_R0_TWO,), 3),
        ((PUSH_R4_R5_LR,), 4),
        ((POP_R4_R5_PC,), 4),  # and the branch, when it is taken
        ((VLDM_R0_FOUR,), 5),
        ((VPUSH_D8_D9,), 5),  # two double words are four words
        ((VLDR_S0_R1,), 2),
        ((VSTR_S0_R1,), 2),
        ((VADD_S2_S0_S1,), 1),
        ((VFMA_S3_S2_S1,), 3),
        ((VDIV_S0_S1_S2,), 14),
        ((SMLAD_R0,), 1),
        ((SMLAL_R6_R7,), 1),
        ((SMULL_R0_R3,), 1),
        ((SDIV,), 7),
        ((UDIV,), 7),
        ((IT_EQ, MOVEQ_R0_R1), 2),
        ((CBZ_R0,), 1),
        ((B,), 1),
        ((BL,), 1),
        ((BX_LR,), 1),
        ((TBB,), 2),
        ((DSB,), 4),
        ((MRS_PRIMASK,), 2),
    ],
)
def test_base_costs_are_those_of_the_manual(codes, expected):
    assert cost(*codes).half_cycles == 2 * expected
    assert cost(*codes).instructions == len(codes)


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        ((LDR_R3_R0_4, LDR_R4_R0_8), 2 + 1),  # pipelined behind a load
        ((LDR_R3_R0_4, LDR_R4_R3_8), 2 + 2),  # the address is what the load before fetched
        ((LDR_R3_R0_4, LDR_R4_R3_8, LDR_R5_R4), 2 + 2 + 2),
        ((LDR_R3_R0_4, LDR_R4_R0_8, LDR_R5_R4), 2 + 1 + 2),
        ((STR_R3_R0_12, LDR_R4_R0_8), 1 + 2),  # not pipelined behind a store
        ((LDR_R3_R0_4, STR_R3_R0_12), 2 + 1),
        ((LDM_R0_FOUR, LDR_R5_R4), 5 + 2),
        ((VLDR_S0_R1, VLDR_S1_R1_4), 2 + 1),
        ((VLDR_S0_R1, VSTR_S0_R1), 2 + 1),
        ((ADDS_R0_R1_R2, LDR_R3_R0_4), 1 + 2 + 1),  # address written by the ALU just before
        ((ADDS_R0_R1_R2, NOP_W, LDR_R3_R0_4), 1 + 1 + 2),
        ((ADDS_R0_R1_R2, STR_R3_R0_12), 1 + 1 + 1),
        ((ADDS_R0_R1_R2, LDR_R3_R1_R0), 1 + 2 + 1),  # an index is part of the address
        ((ADDS_R0_R1_R2, VLDR_S0_R0), 1 + 2 + 1),
        ((LDR_R3_R0_4, LDR_R2_R1_R3_LSL2), 2 + 2),
        ((ADDS_R0_R1_R2, LDM_R0_FOUR), 1 + 5),  # a list is not among the rule's instructions
        ((SMLAD_R0, SMLAD_R0), 1 + 1 + 1),  # accumulates onto the result just before
        ((SMLAD_R0, SMLAD_R3), 1 + 1),
        ((SMLAD_R0, SMLAD_R3, SMLAD_R0), 1 + 1 + 1),
        ((MLA_R4, MLA_R4), 1 + 1 + 1),
        ((SMLAL_R6_R7, SMLAL_R6_R7), 1 + 1 + 1),
        ((SMLABB_R0, SMLABB_R0), 1 + 1 + 1),
        ((UMLAL_R6_R7, UMLAL_R6_R7), 1 + 1 + 1),
        ((MLS_R4, MLS_R4), 1 + 1 + 1),
        ((SMLAD_R0, SMMLAR_R3_R0_R1_R2), 1 + 1),  # a requantisation is no accumulation
        ((ADDS_R0_R1_R2, SMLAD_R0), 1 + 1),
        ((VADD_S2_S0_S1, VMUL_S3_S2_S1), 1 + 1 + 1),  # uses the result just before
        ((VFMA_S3_S2_S1, VFMA_S3_S2_S1), 3 + 3 + 1),
        ((VADD_S2_S0_S1, VDIV_S0_S1_S2, VADD_S2_S0_S1), 1 + 15 + 2),
        ((VLDR_S0_R1, VADD_S2_S0_S1), 2 + 1),
    ],
)
def test_neighbours_pipeline_and_stall(codes, expected):
    assert cost(*codes).half_cycles == 2 * expected


def test_each_stall_rule_fires_on_its_pair_and_on_no_other():
    pairs = {
        "stalls_on_loaded_address": (LDR_R3_R0_4, LDR_R4_R3_8),
        "stalls_on_computed_address": (ADDS_R0_R1_R2, LDR_R3_R0_4),
        "stalls_on_accumulator": (SMLAD_R0, SMLAD_R0),
        "stalls_on_float_result": (VADD_S2_S0_S1, VMUL_S3_S2_S1),
    }
    assert {rule.__name__ for rule in cycles.STALLS} == set(pairs)
    for name, codes in pairs.items():
        before, instruction = decode(bytes.fromhex("".join(codes)), 0)
        assert [rule.__name__ for rule in cycles.STALLS if rule(instruction, before)] == [name]


def test_a_literal_in_flash_costs_a_flash_read_and_one_in_ram_does_not():
    literal = {0x1004: 7, IN_RAM + 4: 7}
    assert cost(LDR_R1_PC_0, address=0x1000, words=literal).half_cycles == 2 * 2 + 3
    assert cost(LDR_R1_PC_0, address=IN_RAM, words=literal).half_cycles == 2 * 2


def probes(*codes, address=IN_RAM, words=None):
    code = bytes.fromhex("".join(codes))
    return flash_reads(decode(code, address), address, FLASH, (words or {}).__getitem__)


def probe(reads, constant=0, **factors):
    return FlashProbe(Linear(tuple(sorted(factors.items())), constant), reads)


def test_flash_reads_follow_the_registers_at_the_entry_of_the_block():
    assert probes(LDR_R3_R0_4, LDR_R4_R0_8) == (0, (probe(2, r0=1),))
    assert probes(LDM_R0_FOUR) == (0, (probe(4, r0=1),))
    assert probes(LDR_R2_R1_R3_LSL2) == (0, (probe(1, r1=1, r3=4),))
    assert probes(LDR_R1_R0_POST, LDR_R1_R0_POST) == (0, (probe(2, r0=1),))
    assert probes(ADD_R1_16, LDR_R2_R1_R3_LSL2) == (0, (probe(1, 16, r1=1, r3=4),))
    assert probes(MOV_R5_R0, LDRSB_R2_R5_R3) == (0, (probe(1, r0=1, r3=1),))


def test_a_sum_of_registers_is_followed():
    assert probes(ADDS_R0_R1_R2, LDR_R3_R0_4) == (0, (probe(1, r1=1, r2=1),))
    subtract = "a2eb810c"  # sub.w r12, r2, r1, lsl #2
    load = "dcf80000"  # ldr.w r0, [r12]
    assert probes(subtract, load) == (0, (probe(1, r1=2**32 - 4, r2=1),))


def test_a_base_on_the_stack_is_followed():
    from_slot, to_slot = "0398", "0391"  # ldr r0, [sp, #12]; str r1, [sp, #12]
    assert probes(from_slot, LDR_R3_R0_4) == (0, (FlashProbe(Linear((("[sp+12]", 1),)), 1),))
    assert probes(to_slot, from_slot, LDR_R3_R0_4) == (0, (probe(1, r1=1),))
    assert probes(PUSH_R4_R5_LR, from_slot, LDR_R3_R0_4) == (0, ())


def test_an_address_in_two_halves_is_known():
    movw_movt = "48f20000" + "c0f20000"  # movw r0, #0x8000; movt r0, #0
    in_ram = "48f20000" + "c2f20000"  # movt r0, #0x2000
    assert probes(movw_movt, LDR_R3_R0_4) == (1, ())
    assert probes(in_ram, LDR_R3_R0_4) == (0, ())


def test_a_conditional_move_makes_a_base_unknown():
    assert probes(IT_EQ, MOVEQ_R0_R1, LDR_R3_R0_4) == (0, ())


@pytest.mark.parametrize("number", range(13))
def test_every_register_can_hold_a_pointer_to_flash(number):
    load = (0xF8D0_0000 | number << 16).to_bytes(4, "big")  # ldr.w r0, [rN]
    code = bytes([load[1], load[0], load[3], load[2]]).hex()
    assert probes(code) == (0, (probe(1, **{f"r{number}": 1}),))


def test_a_base_loaded_in_the_block_is_not_guessed():
    assert probes(LDR_R3_R0_4, LDR_R4_R3_8) == (0, (probe(1, r0=1),))
    assert probes(POP_R4_R5_PC) == (0, ())


def test_a_base_loaded_as_a_literal_is_known():
    to_r1 = bytes.fromhex("0868").hex()  # ldr r0, [r1]
    flash = probes(LDR_R1_PC_0, to_r1, address=0x1000, words={0x1004: 0x8000})
    ram = probes(LDR_R1_PC_0, to_r1, address=0x1000, words={0x1004: 0x2000_0000})
    assert flash == (2, ())  # the literal itself and what it points to
    assert ram == (1, ())


def test_what_capstone_does_not_know_is_stepped_over_at_its_length():
    found = decode(bytes.fromhex(UNDECODABLE + ADDS_R0_R1_R2), 0)
    assert [(one.name, one.size) for one in found] == [("unknown", 4), ("add", 2)]


def test_float_and_event_instructions_are_recognised():
    assert cost(VLDR_S0_R1).uses_fpu and cost(VADD_S2_S0_S1).uses_fpu
    assert not cost(SMLAD_R0, LDM_R0_FOUR).uses_fpu
    assert cost(SEV).sets_event and not cost(NOP_W).sets_event


def test_the_estimate_is_labelled():
    assert "estimate" in cycles.ERROR_BAND and "no nRF52840 measurement" in cycles.ERROR_BAND
