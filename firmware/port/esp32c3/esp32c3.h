/* SPDX-License-Identifier: Apache-2.0
 *
 * esp32c3.h: the registers that this port touches, all of them, by the names of Espressif's SVD file and
 * ESP32-C3 Technical Reference Manual (v1.1).  Offsets are from the base in the macro.
 */
#ifndef ESP32C3_H
#define ESP32C3_H

#include <stdint.h>

#define ESP_REGISTER(base, offset) (*(volatile uint32_t *)((base) + (uintptr_t)(offset)))

/* Code that runs from RAM: interrupts, and whatever runs while the flash is busy. */
#define IN_RAM __attribute__((section(".ram_code"), noinline))

enum {
    XTAL_HZ = 40000000,
};

/* UART0, source 21 of the interrupt matrix */
#define UART_FIFO ESP_REGISTER(0x60000000u, 0x00)
#define UART_INT_RAW ESP_REGISTER(0x60000000u, 0x04)
#define UART_INT_ST ESP_REGISTER(0x60000000u, 0x08)
#define UART_INT_ENA ESP_REGISTER(0x60000000u, 0x0C)
#define UART_INT_CLR ESP_REGISTER(0x60000000u, 0x10)
#define UART_CLKDIV ESP_REGISTER(0x60000000u, 0x14) /* whole | sixteenths << 20 */
#define UART_STATUS ESP_REGISTER(0x60000000u, 0x1C)
#define UART_CONF0 ESP_REGISTER(0x60000000u, 0x20)
#define UART_CONF1 ESP_REGISTER(0x60000000u, 0x24) /* RX full at | TX empty below << 9 */
#define UART_MEM_CONF ESP_REGISTER(0x60000000u, 0x60)
#define UART_CLK_CONF ESP_REGISTER(0x60000000u, 0x78)
#define UART_ID ESP_REGISTER(0x60000000u, 0x80)
enum {
    UART_FIFO_BYTES = 128,
    UART_INT_RXFIFO_FULL = 1 << 0,
    UART_INT_TXFIFO_EMPTY = 1 << 1,
    UART_INT_FRM_ERR = 1 << 3,
    UART_INT_RXFIFO_OVF = 1 << 4,
    UART_INT_RXFIFO_TOUT = 1 << 8,
    UART_INT_ALL = 0xFFFFF,
    UART_STATUS_COUNT = 0x3FF,
    UART_STATUS_TX_SHIFT = 16,
    UART_CONF0_8N1 = 3 << 2 | 1 << 4,
    UART_CONF0_RXFIFO_RST = 1 << 17,
    UART_CONF0_TXFIFO_RST = 1 << 18,
    UART_CONF0_ERR_WR_MASK = 1 << 26, /* bytes with a broken stop bit are not stored */
    UART_CONF0_MEM_CLK_EN = 1 << 28,
    UART_CONF1_TX_SHIFT = 9,
    UART_CONF1_RX_TOUT_EN = 1 << 21,
    UART_MEM_CONF_SIZES = 1 << 1 | 1 << 4, /* 128 bytes each way */
    UART_MEM_CONF_TOUT_SHIFT = 16,         /* bits of silence */
    UART_CLK_CONF_XTAL = 3 << 20 | 1 << 22 | 1 << 24 | 1 << 25,
    UART_CLK_CONF_RST_CORE = 1 << 23,
    UART_CLOCK_HZ = XTAL_HZ, /* the same whatever the core runs on */
};
#define UART_ID_REG_UPDATE (1u << 31)

/* GPIO and the switch of each pin; function 0 of GPIO20 and GPIO21 is UART0 */
#define GPIO_OUT_SET ESP_REGISTER(0x60004000u, 0x08)
#define GPIO_OUT_CLEAR ESP_REGISTER(0x60004000u, 0x0C)
#define GPIO_ENABLE_SET ESP_REGISTER(0x60004000u, 0x24)
#define GPIO_OUT_SELECT(pin) ESP_REGISTER(0x60004000u, 0x554 + 4 * (pin))
#define IO_MUX_GPIO(pin) ESP_REGISTER(0x60009000u, 4 + 4 * (pin))
enum {
    IO_MUX_PULL_UP = 1 << 8,
    IO_MUX_INPUT = 1 << 9,
    IO_MUX_DRIVE = 2 << 10,
    IO_MUX_AS_GPIO = 1 << 12,
    GPIO_OUT_SELECT_OUT = 128, /* the bit of GPIO_OUT, no peripheral */
};

/* The always-on part: resets and two of the watchdogs */
#define RTC_OPTIONS0 ESP_REGISTER(0x60008000u, 0x00)
#define RTC_RESET_STATE ESP_REGISTER(0x60008000u, 0x38)
#define RTC_WDTCONFIG0 ESP_REGISTER(0x60008000u, 0x90)
#define RTC_WDTWPROTECT ESP_REGISTER(0x60008000u, 0xA8)
#define RTC_SWD_CONF ESP_REGISTER(0x60008000u, 0xAC)
#define RTC_SWD_WPROTECT ESP_REGISTER(0x60008000u, 0xB0)
#define RTC_OPTIONS0_SW_SYS_RST (1u << 31)
#define RTC_SWD_DISABLE (1u << 30)
#define RTC_SWD_KEY 0x8F1D312Au
enum {
    RTC_OPTIONS0_PLL_OFF = 1 << 6 | 1 << 8 | 1 << 10, /* BB_I2C, BBPLL_I2C and BBPLL forced down */
    RTC_RESET_CAUSE = 0x3F,
    RTC_RESET_POWER_ON = 1,
    RTC_RESET_SOFTWARE = 3,
    RTC_RESET_TG0_WATCHDOG = 7,
    RTC_RESET_TG1_WATCHDOG = 8,
    RTC_RESET_RTC_WATCHDOG = 9,
    RTC_RESET_TG0_WATCHDOG_CORE = 11,
    RTC_RESET_SOFTWARE_CORE = 12,
    RTC_RESET_RTC_WATCHDOG_CORE = 13,
    RTC_RESET_BROWN_OUT = 15,
    RTC_RESET_RTC_WATCHDOG_RTC = 16,
    RTC_RESET_TG1_WATCHDOG_CORE = 17,
    RTC_RESET_SUPER_WATCHDOG = 18,
    RTC_RESET_USB_SERIAL = 21,
    RTC_RESET_USB_JTAG = 22,
};

/* eFuse: the MAC address, and in the same word two bytes that no two chips need to differ in */
#define EFUSE_MAC(word) ESP_REGISTER(0x60008800u, 0x44 + 4 * (word))

/* Timer group 0: its general timer and its watchdog are this firmware's; timer group 1 is never started */
#define TIMG_T0CONFIG ESP_REGISTER(0x6001F000u, 0x00)
#define TIMG_T0ALARMLO ESP_REGISTER(0x6001F000u, 0x10)
#define TIMG_T0ALARMHI ESP_REGISTER(0x6001F000u, 0x14)
#define TIMG_T0LOADLO ESP_REGISTER(0x6001F000u, 0x18)
#define TIMG_T0LOADHI ESP_REGISTER(0x6001F000u, 0x1C)
#define TIMG_T0LOAD ESP_REGISTER(0x6001F000u, 0x20) /* anything written: the timer goes on from there */
#define TIMG_WDTCONFIG0 ESP_REGISTER(0x6001F000u, 0x48)
#define TIMG_WDTCONFIG1 ESP_REGISTER(0x6001F000u, 0x4C) /* divider of 80 MHz << 16 */
#define TIMG_WDTCONFIG2 ESP_REGISTER(0x6001F000u, 0x50) /* ticks of stage 0 */
#define TIMG_WDTFEED ESP_REGISTER(0x6001F000u, 0x60)
#define TIMG_WDTWPROTECT ESP_REGISTER(0x6001F000u, 0x64)
#define TIMG_INT_ENA ESP_REGISTER(0x6001F000u, 0x70)
#define TIMG_INT_CLR ESP_REGISTER(0x6001F000u, 0x7C)
#define TIMG_T0_EN (1u << 31)
#define TIMG_WDT_EN (1u << 31)
#define TIMG_WDT_STG0_RESET (3u << 29)
#define WDT_KEY 0x50D83AA1u
enum {
    TIMG_T0_USE_XTAL = 1 << 9,
    TIMG_T0_ALARM_EN = 1 << 10, /* clears itself when the alarm comes */
    TIMG_T0_DIVIDER_SHIFT = 13, /* 2 or more */
    TIMG_T0_INCREASE = 1 << 30,
    TIMG_INT_T0 = 1 << 0,
    TIMG_WDT_UPDATE = 1 << 22,
    TIMG_WDT_LENGTHS = 7 << 18 | 7 << 15, /* of the reset signals, the longest */
};

/* SYSTIMER: 16 MHz from the crystal, 52 bits */
#define SYSTIMER_CONF ESP_REGISTER(0x60023000u, 0x00)
#define SYSTIMER_UNIT0_OP ESP_REGISTER(0x60023000u, 0x04)
#define SYSTIMER_TARGET0_CONF ESP_REGISTER(0x60023000u, 0x34)
#define SYSTIMER_UNIT0_HI ESP_REGISTER(0x60023000u, 0x40)
#define SYSTIMER_UNIT0_LO ESP_REGISTER(0x60023000u, 0x44)
#define SYSTIMER_COMP0_LOAD ESP_REGISTER(0x60023000u, 0x50)
#define SYSTIMER_INT_ENA ESP_REGISTER(0x60023000u, 0x64)
#define SYSTIMER_INT_CLR ESP_REGISTER(0x60023000u, 0x6C)
enum {
    SYSTIMER_HZ = 16000000,
    SYSTIMER_CONF_UNIT0 = 1 << 30,
    SYSTIMER_CONF_TARGET0 = 1 << 24,
    SYSTIMER_OP_UPDATE = 1 << 30,
    SYSTIMER_OP_VALID = 1 << 29,
    SYSTIMER_TARGET_PERIOD = 1 << 30,
    SYSTIMER_PERIOD_MAX = (1 << 26) - 1,
    SYSTIMER_INT_TARGET0 = 1 << 0,
};

/* SYSTEM: the core's clock */
#define SYSTEM_CPU_PER_CONF ESP_REGISTER(0x600C0000u, 0x08)
#define SYSTEM_PERIP_CLK_EN0 ESP_REGISTER(0x600C0000u, 0x10)
#define SYSTEM_PERIP_RST_EN0 ESP_REGISTER(0x600C0000u, 0x18)
#define SYSTEM_SYSCLK_CONF ESP_REGISTER(0x600C0000u, 0x58)
enum {
    SYSTEM_CPU_160_MHZ = 1, /* of the PLL */
    SYSTEM_PLL_480_MHZ = 1 << 2,
    SYSTEM_SYSCLK_PLL = 1 << 10,
    SYSTEM_SYSCLK_SOURCE = 3 << 10,
    SYSTEM_CLK_UART = 1 << 2 | 1 << 24, /* and its memory */
    SYSTEM_CLK_TIMG0 = 1 << 13,
    SYSTEM_CLK_SARADC = 1 << 28,
    SYSTEM_CLK_SYSTIMER = 1 << 29,
};

/* ADC1, one conversion at a time */
#define SARADC_CTRL ESP_REGISTER(0x60040000u, 0x00)
#define SARADC_ONETIME ESP_REGISTER(0x60040000u, 0x20)
#define SARADC_DATA1 ESP_REGISTER(0x60040000u, 0x2C)
#define SARADC_INT_ENA ESP_REGISTER(0x60040000u, 0x40)
#define SARADC_INT_CLR ESP_REGISTER(0x60040000u, 0x4C)
#define SARADC_CLKM_CONF ESP_REGISTER(0x60040000u, 0x54)
#define SARADC_ONETIME_ADC1 (1u << 31)
#define SARADC_INT_DONE1 (1u << 31)
enum {
    SARADC_CTRL_CLK_GATED = 1 << 6,
    SARADC_CTRL_ON = 3 << 27, /* powered whether it converts or not */
    SARADC_ONETIME_12_DB = 3 << 23,
    SARADC_ONETIME_CHANNEL_SHIFT = 25,
    SARADC_ONETIME_START = 1 << 29,
    SARADC_CLKM_5_MHZ = 15 | 1 << 20 | 2 << 21, /* 80 MHz / (15 + 1) */
};

/* The analogue parts' bus: the PLL is set through functions of the ROM */
#define I2C_ANA_CONF0 ESP_REGISTER(0x6000E000u, 0x40)
#define I2C_ANA_CONFIG ESP_REGISTER(0x6000E000u, 0x44)
#define I2C_ANA_CONFIG2 ESP_REGISTER(0x6000E000u, 0x48)
enum {
    I2C_ANA_BBPLL_STOP_HIGH = 1 << 2,
    I2C_ANA_BBPLL_STOP_LOW = 1 << 3,
    I2C_ANA_SAR_OFF = 1 << 18, /* of CONFIG */
    I2C_ANA_SAR_ON = 1 << 16,  /* of CONFIG2 */
    I2C_BBPLL = 0x66,
};
typedef void rom_analog_write(uint8_t block, uint8_t host, uint8_t reg, uint8_t data);
typedef void rom_analog_write_bits(uint8_t block, uint8_t host, uint8_t reg, uint8_t high, uint8_t low,
                                   uint8_t data);

/* The ROM's functions for the flash, 0 where they succeed, and for the cache, which rests meanwhile */
typedef int rom_flash_unlock(void);
typedef int rom_flash_erase(uint32_t sector);
typedef int rom_flash_write(uint32_t address, const uint32_t *words, int32_t bytes);
typedef int rom_flash_read(uint32_t address, uint32_t *words, int32_t bytes);
typedef uint32_t rom_cache_suspend(void); /* gives what resuming wants */
typedef void rom_cache_resume(uint32_t autoload);
#define ROM_FLASH_ERASE ((rom_flash_erase *)0x40000128u)
#define ROM_FLASH_WRITE ((rom_flash_write *)0x4000012Cu)
#define ROM_FLASH_READ ((rom_flash_read *)0x40000130u)
#define ROM_FLASH_UNLOCK ((rom_flash_unlock *)0x40000140u)
#define ROM_CACHE_SUSPEND ((rom_cache_suspend *)0x40000524u)
#define ROM_CACHE_RESUME ((rom_cache_resume *)0x40000528u)
#define ROM_ANALOG_WRITE ((rom_analog_write *)0x4000195Cu)
#define ROM_ANALOG_WRITE_BITS ((rom_analog_write_bits *)0x40001960u)

/* The interrupt matrix: a peripheral's interrupt to one of the core's 31 */
#define INTERRUPT_MAP(source) ESP_REGISTER(0x600C2000u, 4 * (source))
#define INTERRUPT_ENABLE ESP_REGISTER(0x600C2000u, 0x104)
#define INTERRUPT_TYPE ESP_REGISTER(0x600C2000u, 0x108)
#define INTERRUPT_PRIORITY(number) ESP_REGISTER(0x600C2000u, 0x114 + 4 * (number))
#define INTERRUPT_THRESHOLD ESP_REGISTER(0x600C2000u, 0x194)
enum {
    INTERRUPT_SOURCE_UART0 = 21,
    INTERRUPT_SOURCE_TIMG0_T0 = 32,
    INTERRUPT_SOURCE_SYSTIMER0 = 37,
    INTERRUPT_SOURCE_SARADC = 43,
};

/* The core's own registers */
#define CSR_READ(name)                                                                                       \
    ({                                                                                                       \
        uint32_t csr_value;                                                                                  \
        __asm volatile("csrr %0, " #name : "=r"(csr_value));                                                 \
        csr_value;                                                                                           \
    })
#define CSR_WRITE(name, value) __asm volatile("csrw " #name ", %0" : : "r"((uint32_t)(value)))
#define MSTATUS_MIE 8u

/* Holds interrupts back; gives what interrupts_restore() wants. */
static inline uint32_t interrupts_hold(void) {
    uint32_t before;

    __asm volatile("csrrci %0, mstatus, 8" : "=r"(before) : : "memory");
    return before;
}

static inline void interrupts_restore(uint32_t before) {
    __asm volatile("csrs mstatus, %0" : : "r"(before & MSTATUS_MIE) : "memory");
}

#endif
